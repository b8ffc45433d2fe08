import { expect, it } from 'vitest';
import { type Match, matchesIn, seek } from './find';

it('finds words whatever their case and width, over pieces and lines', () => {
  const items = [
    { str: 'Quarterly ' },
    { str: 'PLAN', hasEOL: true },
    {},
    { str: '项目', hasEOL: true },
    { str: '计划 ＡＢＣ' },
  ];
  expect(matchesIn(items, 'quarterly plan')).toEqual([{ from: { item: 0, at: 0 }, to: { item: 1, at: 4 } }]);
  // The piece without text has no place among them.
  expect(matchesIn(items, '项目计划')).toEqual([{ from: { item: 2, at: 0 }, to: { item: 3, at: 2 } }]);
  expect(matchesIn(items, 'abc')).toHaveLength(1);
  expect(matchesIn(items, 'plan 项目')).toHaveLength(1);
  expect(matchesIn(items, '  ')).toEqual([]);
  expect(matchesIn([{ str: 'aaaa' }], 'aa')).toHaveLength(2);
});

const m = (n: number): Match => ({ from: { item: n, at: 0 }, to: { item: n, at: 1 } });
const PAGES = [[m(0), m(1)], [], [m(2)]];

async function places(step: 1 | -1, count: number) {
  let now = { page: 0, index: -1 };
  const seen: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const found = await seek(3, async (page) => PAGES[page] ?? [], now, step, { at: () => {}, stopped: () => false });
    if (!found) return seen;
    now = found;
    seen.push(`${found.page}.${found.index}`);
  }
  return seen;
}

it('goes from match to match both ways and round the end, and ends where there is none', async () => {
  expect(await places(1, 4)).toEqual(['0.0', '0.1', '2.0', '0.0']);
  expect(await places(-1, 4)).toEqual(['2.0', '0.1', '0.0', '2.0']);
  const none = await seek(3, async () => [], { page: 1, index: -1 }, 1, { at: () => {}, stopped: () => false });
  expect(none).toBeUndefined();
  const stopped = await seek(3, async () => [m(0)], { page: 1, index: -1 }, 1, { at: () => {}, stopped: () => true });
  expect(stopped).toBeUndefined();
});

it('comes to the only match again', async () => {
  const only = [[], [m(0)]];
  const again = await seek(2, async (page) => only[page] ?? [], { page: 1, index: 0 }, 1, {
    at: () => {},
    stopped: () => false,
  });
  expect(again).toMatchObject({ page: 1, index: 0 });
});
