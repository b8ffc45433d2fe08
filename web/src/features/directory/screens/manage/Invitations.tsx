import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Invitation } from '~/api/types';
import { now } from '~/core/clock';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { Confirm } from '~/ui/Dialog';
import { FormError } from '~/ui/FormError';
import { PagedList, usePages } from '~/ui/PagedList';
import { Row, Rows, Section } from '~/ui/Section';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { manageKey, readInvitations, revokeInvitation } from '../../manage';
import { InvitationDialog } from '../../parts/InvitationDialog';
import { spoken } from '../../parts/invitation';
import { NewInvitationDialog } from '../../parts/NewInvitationDialog';
import { useManaged } from './Manage';

/** Ways in that were handed out: what each is for, how often it was used, and its end. */
export function Invitations() {
  const t = useT();
  const queries = useQueryClient();
  const org = useManaged();
  const id = org?.id ?? '';
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState<Invitation>();
  const [ending, setEnding] = useState<Invitation>();
  const key = manageKey(id, 'invitations');
  const list = usePages(key, (cursor) => readInvitations(id, cursor));
  const refresh = () => queries.invalidateQueries({ queryKey: key });
  const revoke = useSubmit(async (invitation: Invitation) => {
    await revokeInvitation(id, invitation.id);
    toast(t('directory:invitations.revoked'));
    await refresh();
  });
  if (!org) return null;
  return (
    <Section title={t('directory:manage.invitations')} text={t('directory:invitations.text')}>
      <Button kind="primary" onPress={() => setMaking(true)}>
        {t('directory:invitations.new')}
      </Button>
      <FormError>{revoke.general()}</FormError>
      <PagedList list={list} rows={3} empty={t('directory:invitations.none')}>
        {(items) => (
          <Rows>
            {items.map((i) => (
              <InvitationRow key={i.id} invitation={i} onShow={() => setOpen(i)} onEnd={() => setEnding(i)} />
            ))}
          </Rows>
        )}
      </PagedList>
      {making ? (
        <NewInvitationDialog
          org={org}
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            setOpen(made);
            void refresh();
          }}
        />
      ) : null}
      {open ? <InvitationDialog org={org} invitation={open} onClose={() => setOpen(undefined)} /> : null}
      <Confirm
        open={Boolean(ending)}
        onClose={() => setEnding(undefined)}
        onConfirm={() => ending && void revoke.submit(ending)}
        title={t('directory:invitations.revoke_title')}
        confirm={t('directory:invitations.revoke')}
      >
        {t('directory:invitations.revoke_text')}
      </Confirm>
    </Section>
  );
}

function InvitationRow({
  invitation: i,
  onShow,
  onEnd,
}: {
  invitation: Invitation;
  onShow: () => void;
  onEnd: () => void;
}) {
  const t = useT();
  const locale = useLocale();
  const usedUp = i.max_uses != null && i.uses >= i.max_uses;
  const over = i.revoked || i.expires_at <= now() || usedUp;
  const state = i.revoked
    ? t('directory:invitations.is_revoked')
    : usedUp
      ? t('directory:invitations.used_up')
      : i.expires_at <= now()
        ? t('directory:invitations.expired')
        : t('directory:invitations.until', { when: fullTime(locale, i.expires_at) });
  const used =
    i.max_uses == null
      ? t('directory:invitations.used', { count: i.uses })
      : t('directory:invitations.used_of', { count: i.uses, most: i.max_uses });
  const parts = [state, used];
  if (i.approval) parts.push(t('directory:invitations.with_approval', { count: i.pending }));
  return (
    <Row words={i.label || (i.short ? spoken(i.short) : i.code)} below={parts.join(' · ')}>
      {over ? null : (
        <>
          <Button onPress={onShow}>{t('directory:invitations.show')}</Button>
          <Button onPress={onEnd}>{t('directory:invitations.revoke')}</Button>
        </>
      )}
    </Row>
  );
}
