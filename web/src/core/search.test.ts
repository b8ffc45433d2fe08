import { beforeAll, expect, test } from 'vitest';
import { loadPinyin, ranked, score } from './search';

beforeAll(loadPinyin, 30_000);

const found = (names: string[], query: string) => ranked(names, query, (n) => n, 10);

test('characters, the whole name before its beginning before its middle', () => {
  expect(found(['小张伟', '张伟明', '张伟'], '张伟')).toEqual(['张伟', '张伟明', '小张伟']);
});

test('pinyin in full, cut short, with spaces, and its initials', () => {
  for (const query of ['zhangwei', 'zhangw', 'zhang wei', 'zw', 'zhwei', 'ZW'])
    expect(found(['李娜', '张伟'], query)).toEqual(['张伟']);
});

test('the middle of a name by its sound', () => {
  expect(found(['产品部周会', '李娜'], 'zhouhui')).toEqual(['产品部周会']);
});

test('a character with several readings is found by each', () => {
  expect(score('重庆分公司', 'chongqing')).toBeGreaterThan(0);
  expect(score('单雄信', 'shanxx')).toBeGreaterThan(0);
  expect(score('吕蒙', 'lvm')).toBeGreaterThan(0);
});

test('Latin names by any word, without case and accents', () => {
  expect(found(['Anna Müller', 'Ben'], 'muller')).toEqual(['Anna Müller']);
  expect(found(['Anna Müller', 'Ben'], 'anna mu')).toEqual(['Anna Müller']);
});

test('nothing is everything, in the order it came', () => {
  expect(found(['b', 'a'], '')).toEqual(['b', 'a']);
});

test('what is not meant is not found, whatever stands in the query', () => {
  for (const query of ['xyz', '🐦', "o'", '(', '王'.repeat(500)]) expect(found(['张伟'], query)).toEqual([]);
});

test('a thousand names while typing', () => {
  const names = Array.from(
    { length: 1_000 },
    (_, i) => `${'赵钱孙李周吴郑王'[i % 8]}${'伟芳娜敏静丽强磊'[(i >> 3) % 8]}${i}`,
  );
  expect(found(names, 'lf').length).toBe(10);
});
