import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { sharedNames, shortId } from '~/core/names';
import { myId } from '~/core/store/session';
import { useT } from '~/i18n';
import { loadMembers } from '../members';
import { chat } from '../store';
import { ALL, mentionQuery } from '../text';

export interface Candidate {
  user: string;
  name: string;
  /** Tells equal names apart. */
  detail: string | undefined;
}

const SHOWN = 8;

/** Who may be meant by what stands after @, and which of them is marked. */
export function useMentions(conversation: string, text: string, caret: number) {
  const t = useT();
  const c = useStore(chat, (s) => s.conversations[conversation]);
  const members = useStore(chat, (s) => s.members[conversation]);
  const [closedAt, setClosedAt] = useState<number>();
  const [index, setIndex] = useState(0);
  const talk = c?.kind === 'group' || c?.kind === 'all_staff';
  const query = talk ? mentionQuery(text, caret) : undefined;
  const word = query?.query;
  const open = query !== undefined && query.start !== closedAt;
  useEffect(() => {
    if (open && !members) loadMembers(conversation).catch(() => undefined);
  }, [open, members, conversation]);
  const candidates = useMemo((): Candidate[] => {
    if (!open || word === undefined) return [];
    const wanted = word.toLocaleLowerCase();
    const others = (members ?? []).filter((m) => m.user !== myId());
    const twins = sharedNames(others);
    const people = others
      .filter((m) => m.name.toLocaleLowerCase().includes(wanted))
      .map((m) => ({ user: m.user, name: m.name, detail: twins.has(m.name) ? shortId(m.user) : undefined }));
    const all = { user: ALL, name: t('chat:mention.all'), detail: t('chat:mention.all_detail') };
    const withAll = c?.can.mention_all && all.name.includes(word) ? [all, ...people] : people;
    return withAll.slice(0, SHOWN);
  }, [open, word, members, c?.can.mention_all, t]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the mark goes back to the first when the word changes
  useEffect(() => setIndex(0), [query?.query, query?.start]);
  return {
    open: open && candidates.length > 0,
    start: query?.start ?? 0,
    candidates,
    index: Math.min(index, Math.max(0, candidates.length - 1)),
    setIndex,
    close: () => setClosedAt(query?.start),
  };
}
