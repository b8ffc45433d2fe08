import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { myId } from '~/core/store/session';
import { directory, someoneVerified, verifiedKey } from '~/features/directory';
import type { HeldConversation } from '../events';
import { loadMembers, showMembers } from '../members';
import { chat } from '../store';

const HOUR_MS = 3_600_000;

/** Reads once who is here, so that marks stand beside every sender; answers what `Verifying` is here. */
export function useMembers(c: HeldConversation): boolean {
  const members = useStore(chat, (s) => s.members[c.id]);
  const known = members !== undefined;
  const wanted = c.kind !== 'self';
  useEffect(() => {
    if (wanted && !known) loadMembers(c.id).catch(() => undefined);
  }, [c.id, wanted, known]);
  useEffect(() => showMembers(c.id), [c.id]);
  const unsure = members?.some((m) => m.unverified && !m.external && m.user !== myId()) ?? false;
  const mine = useStore(directory, (s) => Object.keys(s.orgs).join());
  const queries = useQueryClient();
  // Nothing is said until it is known whether it says something.
  const [verifying, setVerifying] = useState(false);
  useEffect(() => {
    if (!unsure) return;
    const orgs = mine.split(',').filter(Boolean);
    if (c.org_id && !orgs.includes(c.org_id)) return setVerifying(true);
    const asked = (c.org_id ? [c.org_id] : orgs).map((org) =>
      queries.fetchQuery({ queryKey: verifiedKey(org), queryFn: () => someoneVerified(org), staleTime: HOUR_MS }),
    );
    let here = true;
    Promise.all(asked).then(
      (answers) => here && setVerifying(answers.includes(true)),
      () => here && setVerifying(true),
    );
    return () => {
      here = false;
    };
  }, [c.org_id, mine, unsure, queries]);
  return verifying;
}
