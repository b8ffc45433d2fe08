import { MessageCircle } from 'lucide-react';
import { useStore } from 'zustand';
import type { Destinations } from '~/ui/destination';
import { needsMe } from './events';
import { chat } from './store';

/** Conversations that need me: unread and not muted, or calling me by name. */
export function useWaitingConversations(): number {
  return useStore(chat, (s) => {
    let count = 0;
    for (const c of Object.values(s.conversations)) {
      if (needsMe(c)) count += 1;
    }
    return count;
  });
}

export const destinations: Destinations = () => [
  {
    id: 'chat',
    link: { to: '/chat' },
    icon: MessageCircle,
    label: (t) => t('common:slots.chat'),
    useCount: useWaitingConversations,
  },
];
