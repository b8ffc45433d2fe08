/** Where something can be sent on to: one's conversations, and colleagues one has none with yet. */
import { useQueries } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { sharedNames, shortId } from '~/core/names';
import { loadPinyin, ranked } from '~/core/search';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { directory, membersKey, someMembers } from '~/features/directory';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { useTitles } from '../names';
import { chat } from '../store';
import { ConversationAvatar } from './ConversationAvatar';

export interface Target {
  /** `c:` and a conversation, or `u:` and a person. */
  id: string;
  name: string;
  /** Tells equal names apart. */
  below: string | undefined;
  external: boolean;
  picture: ReactNode;
}

const MOST = 50;

export function useTargets(query: string): { targets: Target[]; loading: boolean } {
  const q = useDeferredValue(query.trim());
  const [, sounds] = useState(false);
  useEffect(() => {
    void loadPinyin().then(() => sounds(true));
  }, []);
  const talks = useTalks();
  const { persons, loading } = usePersons(q, talks);
  const targets = useMemo(() => {
    const all = q === '' ? talks : [...talks, ...persons];
    const found = q === '' ? all.slice(0, MOST) : ranked(all, q, (target) => target.name, MOST);
    const twins = sharedNames(found);
    return found.map((target) => (twins.has(target.name) ? target : { ...target, below: undefined }));
  }, [q, talks, persons]);
  return { targets, loading: loading && q !== '' };
}

function useTalks(): (Target & { peer: string | undefined })[] {
  const t = useT();
  const { order, conversations } = useStore(chat);
  const users = useStore(people, (s) => s.users);
  const rows = useMemo(
    () => order.flatMap((id) => (conversations[id]?.can.post ? [conversations[id]] : [])),
    [order, conversations],
  );
  const titles = useTitles(rows);
  return rows.map((c, i) => {
    const name = titles[i] ?? '';
    const members = c.members_preview.filter((id) => id !== myId()).slice(0, 3);
    const who = members.map((id) => users[id]?.name ?? '').filter(Boolean);
    const below =
      c.kind === 'direct'
        ? `#${shortId(c.peer ?? '')}`
        : [t('chat:header.members', { count: c.member_count }), who.join(t('chat:title.join'))].join(' · ');
    return {
      id: `c:${c.id}`,
      name,
      below,
      external: c.external || c.outside === true,
      peer: c.kind === 'direct' ? c.peer : undefined,
      picture: <ConversationAvatar conversation={c} title={name} size="small" />,
    };
  });
}

function usePersons(q: string, talks: readonly { peer: string | undefined }[]) {
  const orgs = useStore(directory, (s) => s.orgs);
  const list = useMemo(() => Object.values(orgs), [orgs]);
  const { pages, loading } = useQueries({
    queries: list.map((org) => ({
      queryKey: [...membersKey(org.id), 'some', q],
      queryFn: () => someMembers(org.id, q),
      enabled: q !== '',
      staleTime: 60_000,
    })),
    combine: (all) => ({ pages: all.map((one) => one.data), loading: all.some((one) => one.isLoading) }),
  });
  const persons = useMemo(() => {
    const known = new Set([myId(), ...talks.map((talk) => talk.peer)]);
    const found = new Map<string, Target>();
    for (const m of pages.flatMap((page) => page ?? [])) {
      if (known.has(m.user)) continue;
      const picture = <Avatar id={m.user} name={m.name} size="small" />;
      found.set(m.user, {
        id: `u:${m.user}`,
        name: m.name,
        below: `#${shortId(m.user)}`,
        external: false,
        picture,
      });
    }
    return [...found.values()];
  }, [pages, talks]);
  return { persons, loading };
}
