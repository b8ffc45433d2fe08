import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { asAppError } from '~/api/client';
import { LADDER as LADDER_KEY } from '~/api/query';
import { askForNotifications, notificationState } from '~/core/notifications';
import { deviceName } from '~/features/identity';
import { useErrorText, useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { FailedState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import { RadioGroup } from '~/ui/RadioGroup';
import { Section } from '~/ui/Section';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { addRung, canPush, type Kind, type Ladder, ownAddresses, type Shows, subscribe } from '../api';
import styles from './parts.module.css';
import { ShowsField } from './ShowsField';

/** In the order in which they help most people. */
const KINDS: readonly Kind[] = ['web_push', 'bark', 'ntfy', 'wecom', 'dingtalk', 'feishu', 'email', 'sms'];
/** Those whose other end signs, or wants a token. */
const WITH_SECRET: ReadonlySet<Kind> = new Set(['ntfy', 'dingtalk', 'feishu']);

/** Each kind of rung in plain words, and the way to put one up. */
export function Add({ ladder }: { ladder: Ladder }) {
  const t = useT();
  const [adding, setAdding] = useState<Exclude<Kind, 'web_push'>>();
  const offered = new Set(ladder.channels.filter((c) => c.available).map((c) => c.kind));
  return (
    <Section title={t('notify:add')} text={t('notify:add_text')}>
      <ul className={styles.kinds}>
        {KINDS.map((kind) => (
          <li key={kind} className={styles.kind}>
            <span>
              {t(`notify:kind.${kind}`)}
              <p>{t(offered.has(kind) ? `notify:about.${kind}` : 'notify:not_offered')}</p>
            </span>
            {kind === 'web_push' ? (
              <ThisBrowser ladder={ladder} />
            ) : offered.has(kind) ? (
              <Button onPress={() => setAdding(kind)}>{t('notify:put_up')}</Button>
            ) : null}
          </li>
        ))}
      </ul>
      {adding ? <AddOne kind={adding} onClose={() => setAdding(undefined)} /> : null}
    </Section>
  );
}

/** The browser asks for permission only after the button here. */
function ThisBrowser({ ladder }: { ladder: Ladder }) {
  const t = useT();
  const queries = useQueryClient();
  const errorText = useErrorText();
  const [state, setState] = useState(notificationState);
  const [pending, setPending] = useState(false);
  if (ladder.rungs.some((rung) => rung.here)) return <p>{t('notify:here')}</p>;
  if (state !== 'ask' && state !== 'granted') return <p>{t(`settings:notify.state.${state}`)}</p>;
  if (!canPush()) return <p>{t('settings:notify.state.absent')}</p>;
  const add = async () => {
    setPending(true);
    try {
      const now = await askForNotifications();
      setState(now);
      if (now === 'granted') {
        await subscribe(ladder.web_push_key, deviceName(navigator.userAgent));
        await queries.invalidateQueries({ queryKey: LADDER_KEY });
      }
    } catch (error) {
      const known = asAppError(error);
      toast(known.code === 'push_unreachable' ? t('notify:push_unreachable') : errorText(known));
    }
    setPending(false);
  };
  return (
    <Button isPending={pending} onPress={() => void add()}>
      {t('notify:this_device')}
    </Button>
  );
}

function AddOne({ kind, onClose }: { kind: Exclude<Kind, 'web_push'>; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const form = useId();
  const own = kind === 'email' ? 'email' : kind === 'sms' ? 'phone' : undefined;
  const [address, setAddress] = useState('');
  const [secret, setSecret] = useState('');
  const [label, setLabel] = useState('');
  const [shows, setShows] = useState<Shows>('full');
  const { submit, pending, at, general } = useSubmit(async () => {
    const named = label.trim();
    await addRung({
      kind,
      address: address.trim(),
      shows,
      ...(secret.trim() ? { secret: secret.trim() } : {}),
      ...(named ? { label: named } : {}),
    });
    await queries.invalidateQueries({ queryKey: LADDER_KEY });
    toast(t('notify:added'));
    onClose();
  });
  return (
    <Dialog
      open
      title={t('notify:add_title', { kind: t(`notify:kind.${kind}`) })}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" type="submit" form={form} isPending={pending} isDisabled={!address.trim()}>
            {t('notify:put_up')}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (address.trim()) void submit();
        }}
      >
        <ol className={styles.how}>
          {t(`notify:how.${kind}`)
            .split('\n')
            .map((line) => (
              <li key={line}>{line}</li>
            ))}
        </ol>
        {own ? (
          <OwnAddress kind={own} value={address} onChange={setAddress} error={at('address')} />
        ) : (
          <Field
            label={t('notify:address')}
            type="url"
            value={address}
            onChange={setAddress}
            error={at('address')}
            autoComplete="off"
            isRequired
          />
        )}
        {WITH_SECRET.has(kind) ? (
          <Field
            label={t(kind === 'ntfy' ? 'notify:token' : 'notify:secret')}
            hint={t('notify:optional')}
            type="password"
            value={secret}
            onChange={setSecret}
            error={at('secret')}
            autoComplete="off"
          />
        ) : null}
        <Field
          label={t('notify:label')}
          hint={t('notify:optional')}
          value={label}
          onChange={setLabel}
          maxLength={50}
          error={at('label')}
        />
        <ShowsField value={shows} onChange={setShows} />
        <FormError>{general('address', 'secret', 'label')}</FormError>
      </form>
    </Dialog>
  );
}

function OwnAddress({
  kind,
  value,
  onChange,
  error,
}: {
  kind: 'email' | 'phone';
  value: string;
  onChange: (address: string) => void;
  error: string | undefined;
}) {
  const t = useT();
  const query = useQuery({ queryKey: ['me', 'contacts', 'verified', kind], queryFn: () => ownAddresses(kind) });
  if (query.isError) return <FailedState error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <SkeletonRows rows={1} />;
  if (query.data.length === 0) {
    return (
      <p>
        {t(`notify:no_${kind}`)} <Link to="/me/security">{t('notify:to_security')}</Link>
      </p>
    );
  }
  return (
    <RadioGroup
      label={t('notify:own_address')}
      value={value || undefined}
      options={query.data.map((address) => ({ id: address, label: address }))}
      onChange={onChange}
      error={error}
      isRequired
    />
  );
}
