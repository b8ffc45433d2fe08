/** Lines of the conversation itself: "x joined". */
import { useStore } from 'zustand';
import type { Message } from '~/api/types';
import { people } from '~/core/store/people';
import { useT } from '~/i18n';

/** The people a line names beside its sender. */
export function peopleOf(message: Message): string[] {
  if (message.body?.kind !== 'system') return [];
  const line = message.body;
  return [...('users' in line ? line.users : []), ...('actor' in line ? [line.actor] : [])];
}

export function useSystemText(): (message: Message) => string {
  const t = useT();
  const users = useStore(people, (s) => s.users);
  return (message) => {
    if (message.body?.kind !== 'system') return '';
    const line = message.body;
    const nameOf = (id: string) => users[id]?.name ?? t('chat:title.someone');
    const who = nameOf('actor' in line ? line.actor : message.sender.id);
    const whom = 'users' in line ? line.users.map(nameOf).join(t('chat:title.join')) : '';
    switch (line.event) {
      case 'created':
        return t('chat:system.created', { who });
      case 'added':
        // Who came by an invitation added themselves.
        if (line.users.join() === line.actor) return t('chat:system.joined', { whom });
        return t('chat:system.added', { who, whom });
      case 'removed':
        return t('chat:system.removed', { who, whom });
      case 'left':
        return t('chat:system.left', { whom });
      case 'guest_joined':
        return t('chat:system.guest_joined', { who });
      case 'renamed':
        return t('chat:system.renamed', { who, title: line.title });
      default:
        return t('chat:system.other');
    }
  };
}
