import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { Suspense } from 'react';
import { useStore } from 'zustand';
import { createInvitation, directory, InvitationPoster } from '~/features/directory';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { CopyField } from '~/ui/CopyField';
import { FailedState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { QrCode } from '~/ui/QrCode';
import { SkeletonRows } from '~/ui/Skeleton';
import styles from './Invite.module.css';

/** A link and its code, made when the page is opened; skipping costs nothing. */
export function Invite() {
  const t = useT();
  const locale = useLocale();
  const navigate = useNavigate();
  const { org: id } = useParams({ from: '/invite/$org' });
  const org = useStore(directory, (s) => s.orgs[id]);
  const invitation = useQuery({
    queryKey: ['invitation', 'new', id],
    queryFn: () => createInvitation(id),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const done = () => {
    const to = org?.all_staff;
    void (to ? navigate({ to: '/chat/$conversation', params: { conversation: to } }) : navigate({ to: '/chat' }));
  };
  return (
    <Page title={t('onboarding:invite.title')} lead={t('onboarding:invite.text', { org: org?.name ?? '' })}>
      {invitation.isError ? (
        <FailedState error={invitation.error} retry={() => void invitation.refetch()} />
      ) : invitation.data ? (
        <>
          <CopyField label={t('onboarding:invite.link')} text={invitation.data.url} />
          <div className={styles.code}>
            <QrCode text={invitation.data.url} label={t('onboarding:invite.qr')} />
          </div>
          {org ? (
            <Suspense>
              <InvitationPoster org={org.name} invitation={invitation.data} />
            </Suspense>
          ) : null}
          <p className={styles.expires}>
            {t('onboarding:invite.expires', { when: fullTime(locale, invitation.data.expires_at) })}
          </p>
        </>
      ) : (
        <SkeletonRows rows={3} />
      )}
      <Button kind="primary" wide onPress={done}>
        {t('onboarding:invite.done')}
      </Button>
    </Page>
  );
}
