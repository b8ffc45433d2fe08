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
  const { users, user, actor, by } = message.body;
  return [...ids(users), ...ids(user), ...ids(actor), ...ids(by)];
}

export function useSystemText(): (message: Message) => string {
  const t = useT();
  const users = useStore(people, (s) => s.users);
  return (message) => {
    if (message.body?.kind !== 'system') return '';
    const { event, title, name } = message.body;
    const nameOf = (id: string) => users[id]?.name ?? t('chat:title.someone');
    const named = [...ids(message.body.users), ...ids(message.body.user)];
    const who = nameOf(ids(message.body.actor)[0] ?? ids(message.body.by)[0] ?? message.sender.id);
    const whom = (named.length > 0 ? named : [message.sender.id]).map(nameOf).join(t('chat:title.join'));
    const to = typeof title === 'string' ? title : typeof name === 'string' ? name : '';
    switch (event) {
      case 'created':
      case 'group_created':
        return t('chat:system.created', { who });
      case 'joined':
      case 'member_joined':
        return t('chat:system.joined', { whom });
      case 'added':
      case 'members_added':
        return t('chat:system.added', { who, whom });
      case 'removed':
      case 'member_removed':
        return t('chat:system.removed', { who, whom });
      case 'left':
      case 'member_left':
        return t('chat:system.left', { whom });
      case 'renamed':
      case 'title_changed':
        return to ? t('chat:system.renamed', { who, title: to }) : t('chat:system.unnamed', { who });
      default:
        return t('chat:system.other');
    }
  };
}
