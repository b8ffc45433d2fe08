/** Never bare letters: an input method would lose them. */
import { useNavigate, useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import { chat } from '~/features/chat';

const PLACES = ['/chat', '/contacts', '/me'] as const;

/** Ctrl/⌘ 1…3 go to a place; Alt ↑ ↓ to the conversation above or below; with Shift to the next unread. */
export function useShortcuts(): void {
  const navigate = useNavigate();
  const { conversation } = useParams({ strict: false });
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.isComposing || e.keyCode === 229) return;
      const place = (e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey ? PLACES[Number(e.key) - 1] : undefined;
      if (place) {
        e.preventDefault();
        return void navigate({ to: place });
      }
      if (!e.altKey || (e.key !== 'ArrowUp' && e.key !== 'ArrowDown')) return;
      const next = neighbour(conversation, e.key === 'ArrowUp' ? -1 : 1, e.shiftKey);
      if (!next) return;
      e.preventDefault();
      void navigate({ to: '/chat/$conversation', params: { conversation: next } });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, conversation]);
}

function neighbour(current: string | undefined, step: 1 | -1, unread: boolean): string | undefined {
  const { order, conversations } = chat.getState();
  const at = current ? order.indexOf(current) : -1;
  for (let i = at + step; i >= 0 && i < order.length; i += step) {
    const id = order[i];
    if (id && (!unread || (conversations[id]?.unread ?? 0) > 0)) return id;
  }
  return undefined;
}
