/**
 * What pdf.js calls and Chrome 90 or Safari 15 do not have, in so far as its own build for older browsers leaves it out.
 * Put in before pdf.js runs, in the page and in its worker.
 */

type Any = Record<string, unknown>;

function put(on: object, name: string, value: unknown): void {
  if (!(name in on)) Object.defineProperty(on, name, { value, writable: true, configurable: true });
}

function at(this: ArrayLike<unknown>, place: number): unknown {
  const index = Math.trunc(place) || 0;
  return this[index < 0 ? this.length + index : index];
}

function findLast(this: ArrayLike<unknown>, passes: (item: unknown, place: number) => unknown): unknown {
  for (let i = this.length - 1; i >= 0; i--) if (passes(this[i], i)) return this[i];
  return undefined;
}

function toSpliced(this: readonly unknown[], ...how: [number, number, ...unknown[]]): unknown[] {
  const copy = [...this];
  copy.splice(...how);
  return copy;
}

function withResolvers(this: PromiseConstructor): Any {
  const made: Any = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** Good for what pdf.js copies: plain data. */
function structuredCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return (value as Uint8Array).slice();
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, structuredCopy(v)]));
  if (value instanceof Set) return new Set([...value].map(structuredCopy));
  if (Array.isArray(value)) return value.map(structuredCopy);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, structuredCopy(v)]));
}

export function standIn(): void {
  const Typed = Object.getPrototypeOf(Uint8Array.prototype) as object;
  for (const list of [Array.prototype, Typed, String.prototype]) put(list, 'at', at);
  for (const list of [Array.prototype, Typed]) put(list, 'findLast', findLast);
  put(Array.prototype, 'toSpliced', toSpliced);
  put(Object, 'hasOwn', (of: object, key: PropertyKey) => Reflect.getOwnPropertyDescriptor(of, key) !== undefined);
  put(Promise, 'withResolvers', withResolvers);
  put(globalThis, 'structuredClone', structuredCopy);
}

standIn();
