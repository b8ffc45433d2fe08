/**
 * What the control library calls and Chrome 90 and Safari 15 do not have: stand-ins, put in before anything else runs.
 * `tools/old-browsers.mjs` lets these pass, and nothing more.
 */
function put(name: string, value: (this: readonly unknown[], arg: never) => unknown): void {
  if (!(name in Array.prototype))
    Object.defineProperty(Array.prototype, name, { value, writable: true, configurable: true });
}

export function standIn(): void {
  put('at', function (place: number) {
    return this[place < 0 ? this.length + place : place];
  });
  put('findLast', function (passes: (item: unknown, place: number) => unknown) {
    for (let i = this.length - 1; i >= 0; i--) if (passes(this[i], i)) return this[i];
    return undefined;
  });
}

standIn();
