import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { merge, type Segment, segmentWith, trim, upsert } from './segments';
import { message } from './testing';

const run = (from: number, to: number, rev = 1): Segment => ({
  from,
  to,
  messages: Array.from({ length: to - from + 1 }, (_, i) => message(from + i, { rev })),
});

const shape = (segments: Segment[]) => segments.map((s) => [s.from, s.to]);

/** What must hold of any set of runs. */
function sound(segments: Segment[]): void {
  segments.forEach((s, i) => {
    expect(s.messages.map((m) => m.seq)).toEqual(Array.from({ length: s.to - s.from + 1 }, (_, k) => s.from + k));
    const next = segments[i + 1];
    if (next) expect(next.from).toBeGreaterThan(s.to + 1);
  });
}

describe('runs', () => {
  test('meet, overlap and stay apart', () => {
    expect(shape(merge([run(1, 3)], run(4, 6), 'wins'))).toEqual([[1, 6]]);
    expect(shape(merge([run(1, 5)], run(4, 8), 'wins'))).toEqual([[1, 8]]);
    expect(shape(merge([run(10, 12)], run(1, 3), 'wins'))).toEqual([
      [1, 3],
      [10, 12],
    ]);
    expect(shape(merge([run(1, 3), run(7, 9)], run(4, 6), 'wins'))).toEqual([[1, 9]]);
  });

  test('the page decides, or what is held', () => {
    expect(merge([run(1, 3, 5)], run(2, 4, 9), 'wins')[0]?.messages.map((m) => m.rev)).toEqual([5, 9, 9, 9]);
    expect(merge([run(1, 3, 5)], run(2, 4, 9), 'loses')[0]?.messages.map((m) => m.rev)).toEqual([5, 5, 5, 9]);
  });

  test('a new message lengthens the end or begins a run behind a gap', () => {
    expect(shape(upsert([run(1, 3)], message(4), 3))).toEqual([[1, 4]]);
    expect(shape(upsert([run(1, 3)], message(6), 3))).toEqual([
      [1, 3],
      [6, 6],
    ]);
    expect(shape(upsert([run(1, 3), run(6, 6)], message(5), 3))).toEqual([
      [1, 3],
      [5, 6],
    ]);
  });

  test('a change of something that is not held is left out', () => {
    expect(shape(upsert([run(1, 3), run(8, 9)], message(4), 9))).toEqual([
      [1, 3],
      [8, 9],
    ]);
  });

  test('an older row does not replace a newer one', () => {
    expect(upsert([run(1, 3, 7)], message(2, { rev: 6 }), 3)[0]?.messages[1]?.rev).toBe(7);
  });

  test('trimming keeps the surroundings of what is on the page', () => {
    const trimmed = trim([run(1, 2), run(10, 60)], 20, 58);
    expect(shape(trimmed)).toEqual([[41, 60]]);
    expect(shape(trim([run(1, 60)], 20, 30))).toEqual([[20, 39]]);
    expect(shape(trim([run(1, 10)], 20, 5))).toEqual([[1, 10]]);
  });

  test('stay sound whatever is merged, and lose nothing', () => {
    const pages = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 12 })), {
      maxLength: 25,
    });
    fc.assert(
      fc.property(pages, (list) => {
        let segments: Segment[] = [];
        const seen = new Set<number>();
        for (const [from, length] of list) {
          segments = merge(segments, run(from, from + length), 'wins');
          for (let seq = from; seq <= from + length; seq++) seen.add(seq);
        }
        sound(segments);
        for (const seq of seen) expect(segmentWith(segments, seq)).toBeDefined();
      }),
    );
  });
});
