import type { Resume } from '~/api/events';
import { chat } from './store';

const MAX_HEADS = 200;

/** What `hello.resume` says of conversations (docs/realtime.md §4); undefined while the list is not known. */
export function resumePoint(): Pick<Resume, 'heads' | 'floor'> | undefined {
  const { conversations, list } = chat.getState();
  if (list === 'none') return undefined;
  const newest = Object.values(conversations).sort((a, b) => b.head.changed_at - a.head.changed_at);
  const named = newest.slice(0, MAX_HEADS);
  const last = named[named.length - 1];
  return {
    heads: Object.fromEntries(named.map((c) => [c.id, c.head.rev])),
    floor: newest.length >= MAX_HEADS && last ? last.head.changed_at : 0,
  };
}
