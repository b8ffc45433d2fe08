import { afterEach, expect, test } from 'vitest';
import { standIn } from './older';

interface Newer {
  at: (place: number) => unknown;
  findLast: (passes: (n: number) => boolean) => unknown;
}
const list = [3, 4, 5] as unknown as Newer;
const own = ['at', 'findLast'].map((name) => [name, Object.getOwnPropertyDescriptor(Array.prototype, name)] as const);

afterEach(() => {
  for (const [name, as] of own) if (as) Object.defineProperty(Array.prototype, name, as);
});

test('a browser without them gets what it lacks, and no new key in its loops', () => {
  for (const [name] of own) Reflect.deleteProperty(Array.prototype, name);
  standIn();
  expect([list.at(-1), list.at(0), list.at(-9)]).toEqual([5, 3, undefined]);
  expect([list.findLast((n) => n < 5), list.findLast((n) => n > 9)]).toEqual([4, undefined]);
  const keys: string[] = [];
  for (const key in [1]) keys.push(key);
  expect(keys).toEqual(['0']);
});
