import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WAITING } from '~/api/query';
import { Touched } from './touched';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const made = () => {
  const invalidateQueries = vi.fn(async (_: { queryKey?: readonly unknown[] }) => {});
  const touched = new Touched({ invalidateQueries } as never);
  return { touched, keys: () => invalidateQueries.mock.calls.map(([filter]) => filter.queryKey) };
};

test('a signal makes stale exactly what it is about', () => {
  const { touched, keys } = made();
  touched.signal({ t: 'touched', kind: 'join_requests', id: 'o' });
  vi.runAllTimers();
  expect(keys()).toEqual([WAITING, ['org', 'o', 'manage', 'requests']]);
});

test('a hundred signals ask once', () => {
  const { touched, keys } = made();
  for (let i = 0; i < 100; i++) touched.signal({ t: 'touched', kind: 'join_requests', id: 'o' });
  touched.person({ kind: 'cursor', conversation: 'c', read_seq: 1, n: 1, delivered_seq: 1 });
  vi.runAllTimers();
  expect(keys()).toEqual([WAITING, ['org', 'o', 'manage', 'requests']]);
  touched.back();
  vi.runAllTimers();
  expect(keys()).toHaveLength(3);
});

test('what nobody keeps an answer of changes nothing', () => {
  const { touched, keys } = made();
  // Of a newer server than this client knows.
  touched.signal({ t: 'touched', kind: 'constructor_of_something_new' as 'settings', id: 'x' });
  touched.person({ kind: 'draft', conversation: 'c', text: 'x', rev: 1 });
  vi.runAllTimers();
  expect(keys()).toEqual([]);
});
