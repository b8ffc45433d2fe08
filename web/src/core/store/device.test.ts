import { beforeEach, expect, test } from 'vitest';
import { learnServerTime } from '../clock';
import { device } from './device';

beforeEach(() => {
  learnServerTime(Date.now());
});

test('a clock that is off by minutes is noticed, by seconds it is not', () => {
  learnServerTime(Date.now() - 12 * 60_000);
  expect(device.getState().clockMinutes).toBe(12);
  learnServerTime(Date.now() + 90 * 60_000);
  expect(device.getState().clockMinutes).toBe(-90);
  learnServerTime(Date.now() + 30_000);
  expect(device.getState().clockMinutes).toBe(0);
});
