import { expect, it } from 'vitest';
import { standIn } from './older';

/** Takes functions away as in Chrome 90 and Safari 15, for as long as `run` runs. */
async function without(gone: readonly [object, string][], run: () => Promise<void> | void): Promise<void> {
  const kept = gone.map(([on, name]) => [on, name, Object.getOwnPropertyDescriptor(on, name)] as const);
  for (const [on, name] of gone) Reflect.deleteProperty(on, name);
  try {
    await run();
  } finally {
    for (const [on, name, was] of kept) {
      if (was) Object.defineProperty(on, name, was);
      else Reflect.deleteProperty(on, name);
    }
  }
}

it('stands in for what older browsers lack', async () => {
  const typed = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const gone: [object, string][] = [
    [Array.prototype, 'at'],
    [Array.prototype, 'findLast'],
    [Array.prototype, 'toSpliced'],
    [typed, 'at'],
    [typed, 'findLast'],
    [String.prototype, 'at'],
    [Object, 'hasOwn'],
    [Promise, 'withResolvers'],
    [globalThis, 'structuredClone'],
  ];
  await without(gone, async () => {
    standIn();
    expect([1, 2, 3].at(-1)).toBe(3);
    expect([].at(0)).toBeUndefined();
    expect(new Uint8Array([7, 8]).at(-2)).toBe(7);
    expect('abc'.at(-1)).toBe('c');
    const list = [1, 2, 3, 4] as number[] & {
      findLast(p: (n: number) => boolean): number;
      toSpliced(a: number, b: number): number[];
    };
    expect(list.findLast((n) => n % 2 === 1)).toBe(3);
    expect(list.toSpliced(1, 2)).toEqual([1, 4]);
    expect(Object.hasOwn({ a: 1 }, 'a') && !Object.hasOwn({}, 'toString')).toBe(true);
    const { promise, resolve } = (
      Promise as unknown as { withResolvers(): { promise: Promise<number>; resolve(n: number): void } }
    ).withResolvers();
    resolve(4);
    expect(await promise).toBe(4);
    const value = { a: [1, new Uint8Array([2])], b: new Map([['c', { d: 1 }]]) };
    const copy = structuredClone(value);
    expect(copy).toEqual(value);
    expect(copy.b.get('c')).not.toBe(value.b.get('c'));
  });
});
