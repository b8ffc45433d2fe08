/** What was said lately that holds the words: looked for in the conversations that moved last. */
import { useQueries } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import { people, wantPeople } from '~/core/store/people';
import { ConversationAvatar, chat, searchMessages, useTitles } from '~/features/chat';
import { useLocale } from '~/i18n';
import { listTime } from '~/i18n/format';
import { usePaused } from '~/ui/usePaused';
import type { Result } from './useResults';

/** Each costs the server a walk through a piece of history. */
const CONVERSATIONS = 5;
const MOST = 5;
/** Typing goes on: asked when it pauses. */
const PAUSE_MS = 400;

export function useMessages(q: string): { list: Result[]; loading: boolean } {
  const locale = useLocale();
  const navigate = useNavigate();
  const words = usePaused(q, PAUSE_MS);
  const { order, conversations } = useStore(chat);
  const rows = useMemo(
    () =>
      order
        .map((id) => conversations[id])
        .filter((c) => c !== undefined)
        .slice(0, CONVERSATIONS),
    [order, conversations],
  );
  const titles = useTitles(rows);
  const users = useStore(people, (s) => s.users);
  const { data, loading } = useQueries({
    queries: (words ? rows : []).map((c) => ({
      queryKey: ['find', c.id, words, 'lately'],
      queryFn: ({ signal }: { signal: AbortSignal }) => searchMessages(c.id, words, undefined, signal),
      staleTime: 10_000,
    })),
    combine: (all) => ({ data: all.map((one) => one.data), loading: all.some((one) => one.isPending) }),
  });
  useEffect(() => {
    const senders = data.flatMap((page) => page?.items.slice(0, MOST).map((m) => m.sender.id) ?? []);
    if (senders.length > 0) wantPeople(new Set(senders));
  }, [data]);
  const found = data.flatMap((page, i) =>
    (page?.items.slice(0, MOST) ?? []).map((message) => ({ message, conversation: rows[i], title: titles[i] ?? '' })),
  );
  const list = found
    .sort((a, b) => b.message.sent_at - a.message.sent_at)
    .slice(0, MOST)
    .flatMap(({ message: m, conversation: c, title }): Result[] => {
      if (!c) return [];
      const { before, found, after } = m.excerpt;
      return [
        {
          id: `message:${c.id}:${m.seq}`,
          name: before + found + after,
          below: [users[m.sender.id]?.name, title, listTime(locale, m.sent_at, Date.now())].filter(Boolean).join(' · '),
          picture: <ConversationAvatar conversation={c} title={title} size="small" />,
          run: () =>
            void navigate({ to: '/chat/$conversation', params: { conversation: c.id }, search: { at: m.seq } }),
        },
      ];
    });
  return { list: words === q ? list : [], loading: loading || words !== q };
}
