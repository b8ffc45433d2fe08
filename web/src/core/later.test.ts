import { afterEach, expect, test, vi } from 'vitest';
import { doNow, LATER_MS, later, soon, takeBack } from './later';

afterEach(() => {
  vi.useRealTimers();
});

const held = () => Object.keys(soon.getState().keys);

test('an act is done when its moment is over, once, and is held until it has settled', async () => {
  vi.useFakeTimers();
  let answer = () => {};
  const run = vi.fn(() => new Promise<void>((done) => (answer = done)));
  later('a', run);
  later('a', run);
  expect(held()).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(LATER_MS - 1);
  expect(run).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(run).toHaveBeenCalledExactlyOnceWith(false);
  expect(held()).toEqual(['a']);
  answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(held()).toEqual([]);
});

test('what is taken back in time is never done', async () => {
  vi.useFakeTimers();
  const run = vi.fn(async () => {});
  later('b', run);
  expect(takeBack('b')).toBe(true);
  await vi.advanceTimersByTimeAsync(LATER_MS * 2);
  expect(run).not.toHaveBeenCalled();
  expect(held()).toEqual([]);
  expect(takeBack('b')).toBe(false);
});

test('leaving the page does everything at once', async () => {
  vi.useFakeTimers();
  const run = vi.fn(async () => {});
  later('c', run);
  later('d', run);
  window.dispatchEvent(new Event('pagehide'));
  await vi.advanceTimersByTimeAsync(0);
  expect(run.mock.calls).toEqual([[true], [true]]);
  await doNow();
  expect(run).toHaveBeenCalledTimes(2);
});
