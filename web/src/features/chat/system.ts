/** Lines of the conversation itself: "x joined". */
import { useStore } from 'zustand';
import type { Message } from '~/api/types';
import { people } from '~/core/store/people';
import { useT } from '~/i18n';

const ids = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((v) => typeof v === 'string') : typeof value === 'string' ? [value] : [];

/** The people a line names beside its sender. */
export function peopleOf(message: Message): string[] {
  if (message.body?.kind !== 'system') return [];
  return [...ids(message.body.users), ...ids(message.body.actor)];
}

export function useSystemText(): (message: Message) => string {
  const t = useT();
  const users = useStore(people, (s) => s.users);
  return (message) => {
    if (message.body?.kind !== 'system') return '';
    const { event, title, actor, users: named } = message.body;
    const nameOf = (id: string) => users[id]?.name ?? t('chat:title.someone');
    const who = nameOf(ids(actor)[0] ?? message.sender.id);
    const whom = ids(named).map(nameOf).join(t('chat:title.join'));
    const to = typeof title === 'string' ? title : '';
    switch (event) {
      case 'created':
        return t('chat:system.created', { who });
      case 'added':
        // Who came by an invitation added themselves.
        if (ids(named).join() === ids(actor)[0]) return t('chat:system.joined', { whom });
        return t('chat:system.added', { who, whom });
      case 'removed':
        return t('chat:system.removed', { who, whom });
      case 'left':
        return t('chat:system.left', { whom });
      case 'renamed':
        return t('chat:system.renamed', { who, title: to });
      default:
        return t('chat:system.other');
    }
  };
}
