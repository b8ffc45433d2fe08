import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Merge } from '~/api/types';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { CopyField } from '~/ui/CopyField';
import { Dialog } from '~/ui/Dialog';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { InnerPage } from '~/ui/InnerPage';
import { Row, Rows, Section } from '~/ui/Section';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { confirmMerge, offerMerge, previewMerge, readMerges, undoMerge } from '../api';
import type { Prove } from '../parts/PasswordPart';
import { useProof } from '../parts/useProof';

const KEY = ['merges'];

/** One person, two accounts: the other one offers itself, this one takes it, and a week to think better of it. */
export function Merges() {
  const t = useT();
  const locale = useLocale();
  const queries = useQueryClient();
  const { prove, dialog } = useProof();
  const merges = useQuery({
    queryKey: KEY,
    queryFn: readMerges,
    staleTime: 0,
    refetchInterval: (q) => (q.state.data?.items.some(moving) ? 1_000 : false),
  });
  const [preview, setPreview] = useState<Merge>();
  const refresh = () => queries.invalidateQueries({ queryKey: KEY });
  const undo = useSubmit(async (merge: Merge) => {
    await prove(() => undoMerge(merge.id));
    toast(t('identity:merge.undoing'));
    await refresh();
  });
  return (
    <InnerPage title={t('identity:merge.title')} back={{ to: '/me' }}>
      <p>{t('identity:merge.text')}</p>
      <Take prove={prove} onPreview={setPreview} />
      <Offer prove={prove} />
      <Section title={t('identity:merge.past')}>
        {merges.isError ? (
          <FailedState error={merges.error} retry={() => void merges.refetch()} />
        ) : !merges.data ? (
          <SkeletonRows rows={1} />
        ) : merges.data.items.length === 0 ? (
          <EmptyState title={t('identity:merge.none')} />
        ) : (
          <Rows>
            {merges.data.items
              .filter((m) => m.state !== 'preview')
              .map((m) => (
                <Row
                  key={m.id}
                  words={m.from.name}
                  below={
                    m.state === 'done' && m.undo_until
                      ? t('identity:merge.undo_until', { when: fullTime(locale, m.undo_until) })
                      : t(`identity:merge.state.${m.state}`)
                  }
                >
                  {m.state === 'done' && m.undo_until ? (
                    <Button isPending={undo.pending} onPress={() => void undo.submit(m)}>
                      {t('identity:merge.undo')}
                    </Button>
                  ) : null}
                </Row>
              ))}
          </Rows>
        )}
        <FormError>{undo.general()}</FormError>
      </Section>
      {preview ? (
        <Preview
          merge={preview}
          prove={prove}
          onClose={() => setPreview(undefined)}
          onDone={() => {
            setPreview(undefined);
            void refresh();
          }}
        />
      ) : null}
      {dialog}
    </InnerPage>
  );
}

const moving = (m: Merge) => m.state === 'running' || m.state === 'undoing';

function Take({ prove, onPreview }: { prove: Prove; onPreview: (merge: Merge) => void }) {
  const t = useT();
  const [code, setCode] = useState('');
  const { submit, pending, at, general } = useSubmit(async () =>
    onPreview(await prove(() => previewMerge(code.trim()))),
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Section title={t('identity:merge.keep')} text={t('identity:merge.keep_text')}>
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={t('identity:merge.code')}
          value={code}
          onChange={setCode}
          error={at('code') ?? general('code')}
          autoComplete="off"
          isRequired
        />
        <Button kind="primary" type="submit" isPending={pending}>
          {t('identity:merge.look')}
        </Button>
      </form>
    </Section>
  );
}

function Offer({ prove }: { prove: Prove }) {
  const t = useT();
  const locale = useLocale();
  const [offer, setOffer] = useState<{ code: string; expires_at: number }>();
  const { submit, pending, general } = useSubmit(async () => setOffer(await prove(offerMerge)));
  return (
    <Section title={t('identity:merge.give')} text={t('identity:merge.give_text')}>
      {offer ? (
        <>
          <CopyField label={t('identity:merge.code')} text={offer.code} />
          <p>{t('identity:merge.until', { when: fullTime(locale, offer.expires_at) })}</p>
        </>
      ) : (
        <Button isPending={pending} onPress={() => void submit()}>
          {t('identity:merge.get_code')}
        </Button>
      )}
      <FormError>{general()}</FormError>
    </Section>
  );
}

function Preview({
  merge,
  prove,
  onClose,
  onDone,
}: {
  merge: Merge;
  prove: Prove;
  onClose: () => void;
  onDone: () => void;
}) {
  const t = useT();
  const { submit, pending, general } = useSubmit(async () => {
    await prove(() => confirmMerge(merge.id));
    toast(t('identity:merge.begun'));
    onDone();
  });
  const counts = merge.preview;
  return (
    <Dialog
      title={t('identity:merge.preview', { name: merge.from.name })}
      open
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('common:cancel')}</Button>
          <Button kind="danger" isPending={pending} onPress={() => void submit()}>
            {t('identity:merge.confirm')}
          </Button>
        </>
      }
    >
      <div className={form.form}>
        <p>{t('identity:merge.comes')}</p>
        <ul>
          <li>{t('identity:merge.orgs', { count: counts?.orgs ?? 0 })}</li>
          <li>{t('identity:merge.conversations', { count: counts?.conversations ?? 0 })}</li>
          <li>{t('identity:merge.messages', { count: counts?.messages ?? 0 })}</li>
          {counts?.operator ? <li>{t('identity:merge.operator')}</li> : null}
        </ul>
        <p className={form.notice}>{t('identity:merge.after')}</p>
        <FormError>{general()}</FormError>
      </div>
    </Dialog>
  );
}
