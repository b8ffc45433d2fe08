import { useQueryClient } from '@tanstack/react-query';
import { KeyRound, UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { WAITING } from '~/api/query';
import type { Card, WaitingItem } from '~/api/types';
import { isolated } from '~/core/names';
import { useProof } from '~/features/identity';
import { useErrorText, useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { toast } from '~/ui/Toast';
import { useLater } from '~/ui/useLater';
import { WaitingRow } from '~/ui/WaitingRow';
import { approveRecovery, decideRequest, manageKey } from '../manage';
import { directory } from '../store';
import { NewCard } from './CardDialog';

/** What waits for owners and administrators: who wants to be let in, and who wants to be let in again. */
export function DirectoryWaiting({ item, laterKey }: { item: WaitingItem; laterKey: string }) {
  return item.kind === 'recovery' ? <Recovery item={item} /> : <Asking item={item} laterKey={laterKey} />;
}

/** The organisation's name, for whoever is in several. */
function useOrgName(id: string | null | undefined): string | undefined {
  return useStore(directory, (s) => (id && Object.keys(s.orgs).length > 1 ? s.orgs[id]?.name : undefined));
}

function Asking({ item, laterKey }: { item: WaitingItem; laterKey: string }) {
  const t = useT();
  const doLater = useLater();
  const queries = useQueryClient();
  const org = item.org ?? '';
  const decide = (approve: boolean) => {
    const said = approve
      ? t('directory:requests.approved', { name: isolated(item.title) })
      : t('directory:requests.refused', { name: isolated(item.title) });
    doLater(laterKey, said, async (leaving) => {
      try {
        await decideRequest(org, item.id, approve, leaving);
      } finally {
        // Before the row could show again: the list without it, or with it if it was refused.
        await queries.refetchQueries({ queryKey: WAITING });
        void queries.invalidateQueries({ queryKey: manageKey(org, 'requests') });
      }
    });
  };
  return (
    <WaitingRow
      item={item}
      icon={UserPlus}
      org={useOrgName(item.org)}
      words={t('directory:waiting.join', { name: isolated(item.title) })}
    >
      <Button onPress={() => decide(false)}>{t('directory:requests.refuse')}</Button>
      <Button kind="primary" onPress={() => decide(true)}>
        {t('directory:requests.approve')}
      </Button>
    </WaitingRow>
  );
}

/** Asks for a fresh proof and may hand out a card, so it cannot be taken back a moment later. */
function Recovery({ item }: { item: WaitingItem }) {
  const t = useT();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const { prove, dialog } = useProof();
  const [busy, setBusy] = useState(false);
  const [card, setCard] = useState<Card>();
  const org = useStore(directory, (s) => (item.org ? s.orgs[item.org] : undefined));
  const orgName = useOrgName(item.org);
  const refresh = () => {
    void queries.invalidateQueries({ queryKey: WAITING });
    if (org) void queries.invalidateQueries({ queryKey: manageKey(org.id, 'recoveries') });
  };
  const approve = async () => {
    if (!org) return;
    setBusy(true);
    try {
      const made = await prove(() => approveRecovery(org.id, item.id));
      toast(t('directory:waiting.recovery_approved', { name: isolated(item.title) }));
      if (made.card) return setCard(made.card);
      refresh();
    } catch (error) {
      toast(errorText(asAppError(error)));
      refresh();
    } finally {
      setBusy(false);
    }
  };
  return (
    <WaitingRow
      item={item}
      icon={KeyRound}
      org={orgName}
      words={t('directory:waiting.recovery', { name: isolated(item.title) })}
    >
      <Button kind="primary" isPending={busy} onPress={() => void approve()}>
        {t('directory:recovery.approve')}
      </Button>
      {dialog}
      {card && org ? (
        <NewCard
          org={org}
          card={card}
          onClose={() => {
            setCard(undefined);
            refresh();
          }}
        />
      ) : null}
    </WaitingRow>
  );
}
