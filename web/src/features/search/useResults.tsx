/** What the search offers for what was typed: people, conversations, places, things to do. */
import { useQueries } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { shortId } from '~/core/names';
import { loadPinyin, ranked } from '~/core/search';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { ConversationAvatar, chat, startDirect, useTitles } from '~/features/chat';
import { directory, membersKey, someMembers } from '~/features/directory';
import { useErrorText, useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { usePlaces } from '~/ui/destination';
import { toast } from '~/ui/Toast';
import { recently, remember } from './recent';
import { useMessages } from './useMessages';

export interface Result {
  id: string;
  name: string;
  below?: string | undefined;
  keys?: string | undefined;
  picture: ReactNode;
  run(): void;
}

export interface Group {
  id: 'recent' | 'messages' | 'conversations' | 'people' | 'places' | 'commands';
  label: string;
  results: Result[];
}

const MOST = 6;
const RECENT = 8;

export function useResults(query: string) {
  const t = useT();
  const q = useDeferredValue(query.trim());
  usePinyin();
  const conversations = useConversations();
  const persons = usePersons(q);
  const messages = useMessages(q);
  const { places, commands } = usePlacesAndCommands();
  const groups = useMemo(() => {
    const all: Group[] = [];
    const put = (id: Group['id'], label: string, results: Result[]) => {
      if (results.length > 0) all.push({ id, label, results });
    };
    if (q === '') {
      const known = [...conversations, ...places, ...commands, ...persons.list];
      const chosen = recently()
        .map((id) => known.find((r) => r.id === id))
        .filter((r) => r !== undefined);
      const recent = [...chosen, ...conversations.filter((r) => !chosen.includes(r))].slice(0, RECENT);
      put('recent', t('search:groups.recent'), recent);
      put('places', t('search:groups.places'), places);
      return all;
    }
    const best = (list: Result[]) => ranked(list, q, (r) => r.name, MOST);
    put('people', t('search:groups.people'), best(persons.list));
    put('conversations', t('search:groups.conversations'), best(conversations));
    put('messages', t('search:groups.messages'), messages.list);
    put('places', t('search:groups.places'), best(places));
    put('commands', t('search:groups.commands'), best(commands));
    return all;
  }, [q, conversations, persons.list, messages.list, places, commands, t]);
  return {
    groups,
    loading: persons.loading || messages.loading,
    failed: persons.failed && groups.length === 0,
    retry: persons.retry,
  };
}

/** Draws again once names can be found by their sound. */
function usePinyin(): void {
  const [, there] = useState(false);
  useEffect(() => {
    void loadPinyin().then(() => there(true));
  }, []);
}

function useConversations(): Result[] {
  const navigate = useNavigate();
  const { order, conversations } = useStore(chat);
  const rows = useMemo(
    () => order.map((id) => conversations[id]).filter((c) => c !== undefined),
    [order, conversations],
  );
  const titles = useTitles(rows).join('\n');
  return useMemo(() => {
    const names = titles.split('\n');
    return rows.map((c, i) => ({
      id: `conversation:${c.id}`,
      name: names[i] ?? '',
      picture: <ConversationAvatar conversation={c} title={names[i] ?? ''} size="small" />,
      run() {
        remember(`conversation:${c.id}`);
        void navigate({ to: '/chat/$conversation', params: { conversation: c.id } });
      },
    }));
  }, [rows, titles, navigate]);
}

/** Colleagues: some of everybody, and those whose name holds what was typed. */
function usePersons(q: string) {
  const t = useT();
  const navigate = useNavigate();
  const errorText = useErrorText();
  const orgs = useStore(directory, (s) => s.orgs);
  const known = useStore(people, (s) => s.users);
  const list = useMemo(() => Object.values(orgs).filter((o) => o.state !== 'suspended'), [orgs]);
  const asked = useMemo(() => list.flatMap((org) => [...new Set(['', q])].map((words) => ({ org, words }))), [list, q]);
  const queries = useQueries({
    queries: asked.map(({ org, words }) => ({
      queryKey: [...membersKey(org.id), 'some', words],
      queryFn: () => someMembers(org.id, words),
      staleTime: 60_000,
    })),
    combine: (all) => ({
      data: all.map((one) => one.data),
      loading: all.some((one) => one.isPending),
      failed: all.length > 0 && all.every((one) => one.isError),
      retry: () => all.forEach((one) => void one.refetch()),
    }),
  });
  const { data } = queries;
  const results = useMemo(() => {
    const found = new Map<string, { name: string; orgs: string[] }>();
    data.forEach((page, i) => {
      const org = asked[i]?.org.name ?? '';
      for (const m of page ?? []) {
        const held = found.get(m.user) ?? { name: m.name, orgs: [] };
        if (!held.orgs.includes(org)) held.orgs.push(org);
        found.set(m.user, held);
      }
    });
    const me = myId();
    const times = new Map<string, number>();
    for (const { name } of found.values()) times.set(name, (times.get(name) ?? 0) + 1);
    const write = async (user: string) => {
      try {
        const { id } = await startDirect(user);
        await navigate({ to: '/chat/$conversation', params: { conversation: id } });
      } catch (error) {
        toast(errorText(asAppError(error)));
      }
    };
    return [...found]
      .filter(([user]) => user !== me && !known[user]?.deleted)
      .map(([user, { name, orgs: of }]): Result => {
        const where = list.length > 1 ? of.join(t('chat:title.join')) : '';
        // No two rows may read alike.
        const apart = (times.get(name) ?? 0) > 1 ? `#${shortId(user)}` : '';
        return {
          id: `person:${user}`,
          name,
          below: [where, apart].filter(Boolean).join(' · ') || undefined,
          picture: <Avatar id={user} name={name} size="small" />,
          run() {
            remember(`person:${user}`);
            void write(user);
          },
        };
      });
  }, [data, asked, known, list, navigate, t, errorText]);
  return { list: results, loading: queries.loading, failed: queries.failed, retry: queries.retry };
}

function usePlacesAndCommands(): { places: Result[]; commands: Result[] } {
  const t = useT();
  const navigate = useNavigate();
  const { all, commands } = usePlaces();
  return useMemo(
    () => ({
      places: all.map((d) => ({
        id: `place:${d.id}`,
        name: d.label(t),
        below: d.text?.(t),
        picture: <d.icon aria-hidden size={20} />,
        run() {
          remember(`place:${d.id}`);
          void navigate(d.link);
        },
      })),
      commands: commands.map((c) => ({
        id: `command:${c.id}`,
        name: c.label(t),
        keys: c.keys,
        picture: <c.icon aria-hidden size={20} />,
        run() {
          remember(`command:${c.id}`);
          c.run();
        },
      })),
    }),
    [all, commands, navigate, t],
  );
}
