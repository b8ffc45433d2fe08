import { expect, test } from 'vitest';
import type { Member } from '~/api/types';
import { joinedToday } from './today';

const noon = new Date(2026, 10, 20, 12).getTime();
const member = (user: string, joined_at: number, more: Partial<Member> = {}) =>
  ({ user, name: user, role: 'member', state: 'active', joined_at, ...more }) as Member;

test('new is who came since midnight, the newest first, but no founder and nobody suspended', () => {
  const HOUR = 3_600_000;
  const list = [
    member('yesterday', noon - 13 * HOUR),
    member('early', noon - 11 * HOUR),
    member('late', noon - HOUR),
    member('founder', noon - 2 * HOUR, { role: 'owner' }),
    member('suspended', noon - HOUR, { state: 'suspended' }),
  ];
  expect(joinedToday(list, noon).map((m) => m.user)).toEqual(['late', 'early']);
});
