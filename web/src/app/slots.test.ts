import { expect, test } from 'vitest';
import type { Org } from '~/api/types';
import type { Destination } from '~/ui/destination';
import { arrange, MAX_PLACES, roleOf } from './slots';

const place = (id: string) => ({ id }) as Destination;
const org = (role: Org['role']) => ({ role }) as Org;
const ids = (list: readonly Destination[]) => list.map((d) => d.id);
const base = ['friends', 'me', 'workbench', 'contacts', 'waiting', 'chat'].map(place);

test('the role follows from what one may do anywhere', () => {
  expect(roleOf({ orgs: [] })).toBe('alone');
  expect(roleOf({ orgs: [org('member')] })).toBe('member');
  expect(roleOf({ orgs: [org('member'), org('admin')] })).toBe('lead');
});

test('a role fills its slots in its own order, whatever the order of declaration', () => {
  expect(ids(arrange('member', base, []).slots)).toEqual(['chat', 'waiting', 'contacts', 'workbench', 'me']);
});

test('the better choice takes the slot as soon as it exists', () => {
  const { slots } = arrange('member', [...base, place('calendar')], []);
  expect(ids(slots)).toEqual(['chat', 'waiting', 'calendar', 'workbench', 'me']);
});

test('what does not exist leaves no hole, and its pin does nothing', () => {
  const without = base.filter((d) => d.id !== 'contacts');
  const { slots, pinned } = arrange('member', without, ['crm', 'friends']);
  expect(ids(slots)).toEqual(['chat', 'waiting', 'workbench', 'me']);
  expect(ids(pinned)).toEqual(['friends']);
});

test('the rail has eight places, and nothing stands there twice', () => {
  const many = Array.from({ length: 12 }, (_, i) => place(`x${i}`));
  const pins = ['chat', ...ids(many)];
  const { slots, pinned } = arrange('lead', [...base, ...many], pins);
  expect(slots.length + pinned.length).toBe(MAX_PLACES);
  expect(ids(pinned)).not.toContain('chat');
});
