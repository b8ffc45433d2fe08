import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import type { Card, Recovery } from '~/api/types';
import { now } from '~/core/clock';
import { people, wantPeople } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { useProof } from '~/features/identity';
import { useErrorText, useLocale, useT } from '~/i18n';
import { fullTime, listTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { PagedList, usePages } from '~/ui/PagedList';
import { Row, Rows, Section } from '~/ui/Section';
import { toast } from '~/ui/Toast';
import { approveRecovery, manageKey, readRecoveries, recoveryCard } from '../../manage';
import { NewCard } from '../../parts/CardDialog';
import { useManaged } from './Manage';

/** Accounts whose owners cannot get in: one administrator asks, another decides. */
export function Recoveries() {
  const t = useT();
  const locale = useLocale();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const { prove, dialog } = useProof();
  const org = useManaged();
  const id = org?.id ?? '';
  const [busy, setBusy] = useState<string>();
  const [card, setCard] = useState<Card>();
  const key = manageKey(id, 'recoveries');
  const list = usePages(key, (cursor) => readRecoveries(id, cursor));
  const act = async (recovery: Recovery, run: () => Promise<unknown>) => {
    setBusy(recovery.id);
    try {
      await prove(run);
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
    setBusy(undefined);
    await queries.invalidateQueries({ queryKey: key });
  };
  const { items } = list;
  const users = useStore(people, (s) => s.users);
  useEffect(() => wantPeople(items.flatMap((r) => [r.user, r.asked_by])), [items]);
  if (!org) return null;
  const name = (user: string) => users[user]?.name ?? '';
  const below = (r: Recovery) =>
    [
      t(`directory:recovery.state.${r.state}`),
      r.state === 'approved' && r.ready_at
        ? t('directory:recovery.ready_at', { when: fullTime(locale, r.ready_at) })
        : undefined,
      t('directory:recovery.asked_by', { name: name(r.asked_by), when: listTime(locale, r.asked_at, now()) }),
      r.reason,
    ]
      .filter(Boolean)
      .join(' · ');
  return (
    <Section title={t('directory:manage.recoveries')} text={t('directory:recovery.list_text')}>
      <PagedList list={list} rows={3} empty={t('directory:recovery.none')}>
        {(items) => (
          <Rows>
            {items.map((r) => {
              const mine = r.asked_by === myId();
              return (
                <Row key={r.id} words={name(r.user)} below={below(r)}>
                  {r.state === 'asked' ? (
                    mine || r.user === myId() ? null : (
                      <Button
                        kind="primary"
                        isDisabled={busy === r.id}
                        onPress={() =>
                          void act(r, async () => setCard((await approveRecovery(id, r.id)).card ?? undefined))
                        }
                      >
                        {t('directory:recovery.approve')}
                      </Button>
                    )
                  ) : r.state === 'ready' ? (
                    <Button
                      kind="primary"
                      isDisabled={busy === r.id}
                      onPress={() => void act(r, async () => setCard(await recoveryCard(id, r.id)))}
                    >
                      {t('directory:recovery.card')}
                    </Button>
                  ) : null}
                </Row>
              );
            })}
          </Rows>
        )}
      </PagedList>
      {card ? <NewCard org={org} card={card} onClose={() => setCard(undefined)} /> : null}
      {dialog}
    </Section>
  );
}
