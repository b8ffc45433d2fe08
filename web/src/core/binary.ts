/**
 * Binary messages of the realtime protocol (docs/realtime.md §2): a version, the length of the header, the header,
 * which is the JSON of a text message, and the payload. Knows nothing of what any of it means.
 */
import type { CatchUp, Frame, Passed, ServerMessage } from '~/api/events';

const VERSION = 1;
const PREFIX = 5;

/** The message with its bytes where they belong; undefined for what cannot be read, or is of a later version. */
export function decodeBinary(data: ArrayBuffer): ServerMessage | undefined {
  if (data.byteLength < PREFIX) return undefined;
  const view = new DataView(data);
  const start = PREFIX + view.getUint32(1);
  if (view.getUint8(0) !== VERSION || start > data.byteLength) return undefined;
  try {
    const header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(data, PREFIX, start - PREFIX)),
    );
    return typeof header?.t === 'string' ? withBytes(header, new Uint8Array(data, start)) : undefined;
  } catch {
    return undefined;
  }
}

function withBytes(header: ServerMessage, payload: Uint8Array): ServerMessage | undefined {
  if (header.t === 'frame' || header.t === 'catch_up') return withParts(header, payload);
  return header.t === 'passed' ? ({ ...header, bytes: payload } satisfies Passed) : header;
}

/** Gives each event its own part. */
function withParts<M extends Frame | CatchUp>(header: M & { sizes?: number[] }, payload: Uint8Array): M | undefined {
  const { sizes, ...message } = header;
  if (!Array.isArray(sizes) || sizes.length !== header.events.length) return undefined;
  let at = 0;
  const bytes = sizes.map((size) => {
    at += size;
    return payload.subarray(at - size, at);
  });
  return at === payload.length ? ({ ...message, bytes } as unknown as M) : undefined;
}
