import type { Member } from '~/api/types';
import { startOfDay } from '~/i18n/format';

/** Who came since midnight, the newest first. Whoever founded it today is no news to themselves. */
export function joinedToday(members: readonly Member[], now: number): Member[] {
  const midnight = startOfDay(now);
  return members
    .filter((m) => m.state === 'active' && m.role !== 'owner' && m.joined_at >= midnight)
    .sort((a, b) => b.joined_at - a.joined_at);
}
