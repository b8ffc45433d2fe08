import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { GuestLink, Org } from '~/api/types';
import { now } from '~/core/clock';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { Checkbox } from '~/ui/Checkbox';
import { Choice } from '~/ui/Choice';
import { Confirm, Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { PagedList, usePages } from '~/ui/PagedList';
import { Row, Rows } from '~/ui/Section';
import { Select } from '~/ui/Select';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { guestLinksKey, makeGuestLink, readGuestLinks, revokeGuestLink } from '../api';
import { GuestLinkDialog } from './GuestLinkDialog';

const LIVES = { week: 7, month: 30, year: 365, long: 3_650 } as const;
type Life = keyof typeof LIVES;

/** The links by which guests come into one group, or to oneself: those there are, and a new one. */
export function GuestLinksDialog({
  orgs,
  group,
  onClose,
}: {
  /** On whose behalf; the first unless another is chosen. */
  orgs: readonly Org[];
  group?: { id: string; title: string };
  onClose: () => void;
}) {
  const t = useT();
  const queries = useQueryClient();
  const [orgId, setOrgId] = useState(orgs[0]?.id ?? '');
  const [open, setOpen] = useState<GuestLink>();
  const [ending, setEnding] = useState<GuestLink>();
  const [guestsToo, setGuestsToo] = useState(false);
  const org = orgs.find((o) => o.id === orgId);
  const list = usePages(guestLinksKey(orgId), (cursor) => readGuestLinks(orgId, cursor));
  const here = (link: GuestLink) => (link.conversation ?? undefined) === group?.id;
  const refresh = () => queries.invalidateQueries({ queryKey: guestLinksKey(orgId) });
  // An ended link opens nothing any more: what is left to end are the guests.
  const over = ending ? isOver(ending) : false;
  const revoke = useSubmit(async (link: GuestLink, guests: boolean) => {
    await revokeGuestLink(orgId, link.id, guests);
    toast(t(guests ? 'guests:ended' : 'guests:revoked'));
    await refresh();
  });
  const ask = (link: GuestLink) => {
    setGuestsToo(false);
    setEnding(link);
  };
  const made = (link: GuestLink) => {
    setOpen(link);
    void refresh();
  };
  return (
    <Dialog title={t('guests:title')} open onClose={onClose}>
      <div className={form.form}>
        <p>{t('guests:text')}</p>
        <p>{group ? t('guests:into', { title: group.title }) : t('guests:mine')}</p>
        {orgs.length > 1 ? (
          <Choice
            chips
            label={t('guests:org')}
            value={orgId}
            options={orgs.map((o) => ({ id: o.id, label: o.name }))}
            onChange={setOrgId}
          />
        ) : null}
        <NewLink org={orgId} group={group?.id} onMade={made} />
        <FormError>{revoke.general()}</FormError>
        <PagedList list={{ ...list, items: list.items.filter(here) }} rows={2} empty={t('guests:none')}>
          {(items) => (
            <Rows>
              {items.map((link) => (
                <LinkRow key={link.id} link={link} onShow={() => setOpen(link)} onEnd={() => ask(link)} />
              ))}
            </Rows>
          )}
        </PagedList>
      </div>
      {open ? (
        <GuestLinkDialog title={group?.title ?? org?.name ?? ''} link={open} onClose={() => setOpen(undefined)} />
      ) : null}
      <Confirm
        open={Boolean(ending)}
        onClose={() => setEnding(undefined)}
        onConfirm={() => ending && void revoke.submit(ending, over || guestsToo)}
        title={t(over ? 'guests:end_title' : 'guests:revoke_title')}
        confirm={t(over ? 'guests:end' : 'guests:revoke')}
      >
        {over ? t('guests:end_text') : t('guests:revoke_text')}
        {ending && !over && ending.uses > 0 ? (
          <Checkbox isSelected={guestsToo} onChange={setGuestsToo}>
            {t('guests:end_too', { count: ending.uses })}
          </Checkbox>
        ) : null}
      </Confirm>
    </Dialog>
  );
}

/** Nothing has to be chosen: a month, any number of people. */
function NewLink({
  org,
  group,
  onMade,
}: {
  org: string;
  group: string | undefined;
  onMade: (link: GuestLink) => void;
}) {
  const t = useT();
  const [label, setLabel] = useState('');
  const [life, setLife] = useState<Life>('month');
  const { submit, pending, at, general } = useSubmit(async () => {
    const body = {
      expires_in_days: LIVES[life],
      ...(group ? { conversation: group } : {}),
      ...(label.trim() ? { label: label.trim() } : {}),
    };
    onMade(await makeGuestLink(org, body));
    setLabel('');
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const lives = [
    { id: 'week', label: t('guests:lives.week') },
    { id: 'month', label: t('guests:lives.month') },
    { id: 'year', label: t('guests:lives.year') },
    { id: 'long', label: t('guests:lives.long') },
  ] as const;
  return (
    <form className={form.form} onSubmit={onSubmit}>
      <Field
        label={t('guests:label')}
        hint={t('guests:label_hint')}
        value={label}
        onChange={setLabel}
        error={at('label')}
        maxLength={50}
      />
      <Select asField label={t('guests:life')} value={life} options={lives} onChange={setLife} />
      <FormError>{general('label')}</FormError>
      <Button kind="primary" wide type="submit" isPending={pending}>
        {t('guests:new')}
      </Button>
    </form>
  );
}

const isOver = (link: GuestLink) => link.revoked || link.uses >= link.max_uses || link.expires_at <= now();

function LinkRow({ link, onShow, onEnd }: { link: GuestLink; onShow: () => void; onEnd: () => void }) {
  const t = useT();
  const locale = useLocale();
  const usedUp = link.uses >= link.max_uses;
  const expired = link.expires_at <= now();
  const state = link.revoked
    ? t('guests:is_revoked')
    : usedUp
      ? t('guests:used_up')
      : expired
        ? t('guests:expired')
        : t('guests:until', { when: fullTime(locale, link.expires_at) });
  return (
    <Row words={link.label || t('guests:one')} below={`${state} · ${t('guests:used', { count: link.uses })}`}>
      {isOver(link) ? (
        link.uses > 0 ? (
          <Button onPress={onEnd}>{t('guests:end')}</Button>
        ) : null
      ) : (
        <>
          <Button onPress={onShow}>{t('guests:show')}</Button>
          <Button onPress={onEnd}>{t('guests:revoke')}</Button>
        </>
      )}
    </Row>
  );
}
