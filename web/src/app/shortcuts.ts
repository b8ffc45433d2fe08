/** Keys that work anywhere. Never bare letters: an input method would lose them. */
import { useNavigate, useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import { chat, openFind } from '~/features/chat';
import { closeSearch, openSearch } from '~/features/search';
import type { Destination } from '~/ui/destination';
import { isCovered } from '~/ui/layers';

/** Mac keyboards say ⌘ where others say Ctrl. */
export const MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

/** How keys are written for the person. `Mod` is Ctrl or ⌘. */
export function written(keys: string): string {
  return MAC
    ? keys.replaceAll('Mod+', '⌘').replaceAll('Alt+', '⌥').replaceAll('Shift+', '⇧').replaceAll('Ctrl+', '⌃')
    : keys.replaceAll('Mod+', 'Ctrl+');
}

/** Everything the help sheet lists. */
export const SHORTCUTS = [
  { id: 'search', keys: 'Mod+K', group: 'anywhere' },
  { id: 'place', keys: 'Mod+1…8', group: 'anywhere' },
  { id: 'help', keys: 'Mod+/', group: 'anywhere' },
  { id: 'neighbour', keys: 'Alt+↑ / ↓', group: 'chat' },
  { id: 'unread', keys: 'Alt+Shift+↑ / ↓', group: 'chat' },
  { id: 'find', keys: 'Mod+F', group: 'chat' },
  { id: 'send', keys: 'Enter', group: 'chat' },
  { id: 'line', keys: 'Shift+Enter', group: 'chat' },
  { id: 'edit', keys: '↑', group: 'chat' },
  { id: 'mention', keys: '@', group: 'chat' },
  { id: 'cancel', keys: 'Esc', group: 'chat' },
] as const;

export type ShortcutId = (typeof SHORTCUTS)[number]['id'];

export const keysOf = (id: ShortcutId): string => written(SHORTCUTS.find((s) => s.id === id)?.keys ?? '');

/** What a key press asks for, or nothing. */
export type Asked = { place: number } | 'search' | 'find' | 'help' | { step: 1 | -1; unread: boolean };

type Press = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'isComposing' | 'keyCode'>;

export function asked(e: Press): Asked | undefined {
  if (e.isComposing || e.keyCode === 229) return undefined;
  if ((e.ctrlKey || e.metaKey) && !e.altKey) {
    if (!e.shiftKey && /^[1-8]$/.test(e.key)) return { place: Number(e.key) - 1 };
    if (!e.shiftKey && e.key.toLowerCase() === 'k') return 'search';
    if (!e.shiftKey && e.key.toLowerCase() === 'f') return 'find';
    if (e.key === '/' || e.key === '?') return 'help';
    return undefined;
  }
  if (e.altKey && !e.ctrlKey && !e.metaKey && (e.key === 'ArrowUp' || e.key === 'ArrowDown')) {
    return { step: e.key === 'ArrowUp' ? -1 : 1, unread: e.shiftKey };
  }
  return undefined;
}

export function useShortcuts(places: readonly Destination[], help: () => void): void {
  const navigate = useNavigate();
  const { conversation } = useParams({ strict: false });
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const what = asked(e);
      if (!what) return;
      if (isCovered()) {
        // Said twice, the search is put away. The rest would happen unseen, and is no key of the browser's all at once;
        // but its own search finds what stands here.
        if (what === 'search') closeSearch();
        if (what !== 'find') e.preventDefault();
        return;
      }
      if (what === 'search') openSearch();
      else if (what === 'help') help();
      else if (what === 'find') {
        // Elsewhere it is the browser's own.
        if (!conversation) return;
        openFind();
      } else if ('place' in what) {
        const place = places[what.place];
        if (!place) return;
        void navigate(place.link);
      } else {
        const next = neighbour(conversation, what.step, what.unread);
        if (!next) return;
        void navigate({ to: '/chat/$conversation', params: { conversation: next } });
      }
      e.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, conversation, places, help]);
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
