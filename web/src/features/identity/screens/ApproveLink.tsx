import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { asAppError } from '~/api/client';
import { now } from '~/core/clock';
import { useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { FailedState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page } from '~/ui/Page';
import { SkeletonRows } from '~/ui/Skeleton';
import { useSubmit } from '~/ui/useSubmit';
import { approveLink, readLink, refuseLink } from '../api';
import { deviceName } from '../device';
import { twoDigits } from '../parts/QrSignIn';
import styles from './ApproveLink.module.css';

/** Codes that nobody can be signed in by any more. */
const DEAD = new Set(['not_found', 'link_expired', 'link_used', 'link_refused']);

/**
 * Another device asks to be signed in as me. Somebody may have sent me the code to get in, so this page says what it
 * is, shows the number that must stand there too, and allows nothing by itself.
 */
export function ApproveLink() {
  const t = useT();
  const locale = useLocale();
  const navigate = useNavigate();
  const { code } = useParams({ from: '/link/$code' });
  const link = useQuery({
    queryKey: ['sign-in-link', code],
    queryFn: () => readLink(code),
    retry: false,
    staleTime: 0,
  });
  const [done, setDone] = useState(false);
  const allow = useSubmit(async () => {
    await approveLink(code);
    setDone(true);
  });
  const refuse = useSubmit(async () => {
    await refuseLink(code);
    await navigate({ to: '/', replace: true });
  });
  if (done) {
    return (
      <Page title={t('identity:link.done')} lead={t('identity:link.done_text')}>
        <Button kind="primary" wide autoFocus onPress={() => void navigate({ to: '/', replace: true })}>
          {t('identity:link.home')}
        </Button>
      </Page>
    );
  }
  if (link.isError && DEAD.has(asAppError(link.error).code)) {
    return (
      <Page title={t('identity:link.dead')} lead={t('identity:link.dead_text')}>
        <Button kind="primary" wide onPress={() => void navigate({ to: '/scan' })}>
          {t('scan:again')}
        </Button>
        <Button wide onPress={() => void navigate({ to: '/', replace: true })}>
          {t('identity:link.home')}
        </Button>
      </Page>
    );
  }
  return (
    <Page title={t(link.isError ? 'identity:link.unknown' : 'identity:link.title')}>
      {link.isError ? (
        <FailedState error={link.error} retry={() => void link.refetch()} />
      ) : !link.data ? (
        <SkeletonRows rows={1} />
      ) : (
        <>
          <dl className={styles.facts}>
            <dt>{t('identity:link.device')}</dt>
            <dd>{deviceName(link.data.device) ?? t('settings:unknown_device')}</dd>
            <dt>{t('identity:link.address')}</dt>
            <dd>{link.data.address}</dd>
            <dt>{t('identity:link.at')}</dt>
            <dd>{listTime(locale, link.data.created_at, now())}</dd>
            <dt>{t('identity:link.number')}</dt>
            <dd className={styles.number}>{twoDigits(link.data.number)}</dd>
          </dl>
          <p className={form.notice}>{t('identity:link.warning')}</p>
          <FormError>{allow.general() ?? refuse.general()}</FormError>
          <Button kind="primary" wide isPending={allow.pending} onPress={() => void allow.submit()}>
            {t('identity:link.allow')}
          </Button>
          <Button wide isPending={refuse.pending} onPress={() => void refuse.submit()}>
            {t('identity:link.refuse')}
          </Button>
        </>
      )}
    </Page>
  );
}
