import { renderHook } from '@testing-library/react';
import { expect, test } from 'vitest';
import type { HealthItem } from '~/api/types';
import { useHealthWords } from './words';

const push = (ways: string, last: string): HealthItem => ({
  check: 'push',
  state: 'ok',
  reason: 'some',
  seen: 'as the server says it',
  fix: '',
  values: { tried: '5', failed: '2', ways, last },
  sends: false,
  at: 0,
});

test('ways of reaching people and their faults are named as in the settings of their owner', () => {
  const { result } = renderHook(() => useHealthWords());
  const { seen } = result.current(push('web_push 3/4, ntfy 0/1, pigeon 1/1', 'wecom: timed_out'));
  for (const word of ['web_push', 'wecom', 'timed_out', '{{']) expect(seen).not.toContain(word);
  // What has no name here yet stays as it came.
  expect(seen).toContain('pigeon 1/1');
  expect(seen).toContain('浏览器推送 3/4, ntfy / UnifiedPush 0/1');
  expect(seen).toContain('企业微信群机器人 · 没送到');
});
