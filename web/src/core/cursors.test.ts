import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CursorMove } from '~/api/types';
import { CursorMoves } from './cursors';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('joins moves to one request in two seconds, each conversation at its farthest', async () => {
  const sent: CursorMove[][] = [];
  const moves = new CursorMoves(async (m) => sent.push(m));
  moves.move({ conversation: 'a', read_seq: 1 });
  await vi.advanceTimersByTimeAsync(0);
  for (let seq = 2; seq < 40; seq++) {
    moves.move({ conversation: 'a', read_seq: seq });
    moves.move({ conversation: 'b', delivered_seq: 40 - seq });
    await vi.advanceTimersByTimeAsync(40);
  }
  await vi.advanceTimersByTimeAsync(3_000);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toEqual([
    { conversation: 'a', read_seq: 39 },
    { conversation: 'b', delivered_seq: 38 },
  ]);
});

test('keeps what could not be sent for the next request', async () => {
  const sent: CursorMove[][] = [];
  let fail = true;
  const moves = new CursorMoves(async (m) => {
    if (fail) throw new Error('down');
    sent.push(m);
  });
  moves.move({ conversation: 'a', read_seq: 7 });
  await vi.advanceTimersByTimeAsync(100);
  fail = false;
  moves.move({ conversation: 'a', delivered_seq: 3 });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(sent).toEqual([[{ conversation: 'a', read_seq: 7, delivered_seq: 3 }]]);
});
