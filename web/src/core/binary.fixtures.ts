/** A binary message as the server makes it, for tests. */
export function message(header: unknown, payload: number[]): ArrayBuffer {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(5 + json.length + payload.length);
  out[0] = 1;
  new DataView(out.buffer).setUint32(1, json.length);
  out.set(json, 5);
  out.set(payload, 5 + json.length);
  return out.buffer;
}
