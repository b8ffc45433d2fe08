import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useStore } from 'zustand';
import type { InvitationPreview, User } from '~/api/types';
import { sessionLifecycle } from '~/core/lifecycle';
import { session } from '~/core/store/session';
import { acceptInvitation, readInvitation } from '~/features/directory';
import { type SignedIn, SignUpForm } from '~/features/identity';
import { useT } from '~/i18n';
import { GroupAvatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { FailedState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page, PageFoot } from '~/ui/Page';
import { SkeletonRows } from '~/ui/Skeleton';
import { useSubmit } from '~/ui/useSubmit';
import styles from './Join.module.css';

/** An invitation link. Whoever holds one never sees "create an organisation". */
export function Join() {
  const t = useT();
  const { code } = useParams({ from: '/join/$code' });
  const me = useStore(session, (s) => s.me);
  const preview = useQuery({ queryKey: ['invitation', code], queryFn: () => readInvitation(code), retry: false });
  if (preview.isError) {
    return (
      <Page title={t('onboarding:join.invalid_title')}>
        <FailedState error={preview.error} retry={() => void preview.refetch()} />
      </Page>
    );
  }
  if (!preview.data) {
    return (
      <Page title={t('onboarding:join.title')}>
        <SkeletonRows rows={2} />
      </Page>
    );
  }
  return <Invited code={code} preview={preview.data} me={me} />;
}

function Invited({ code, preview, me }: { code: string; preview: InvitationPreview; me: User | undefined }) {
  const t = useT();
  const navigate = useNavigate();
  const [entering, setEntering] = useState(false);
  const [waiting, setWaiting] = useState(false);
  const land = (conversation: string) =>
    navigate({ to: '/chat/$conversation', params: { conversation }, replace: true });
  const enter = async () => {
    const accepted = await acceptInvitation(code);
    if (accepted.state === 'joined') await land(accepted.conversation);
    else setWaiting(true);
  };
  const accept = useSubmit(enter);
  // If joining fails there is an account by now: the page offers to join with it.
  const signedUp = async (signedIn: SignedIn) => {
    setEntering(true);
    try {
      await sessionLifecycle().begin(signedIn.user, signedIn.session);
      await enter();
    } finally {
      setEntering(false);
    }
  };
  if (waiting) {
    return (
      <Page title={t('onboarding:join.waiting')} lead={t('onboarding:join.waiting_text', { org: preview.org.name })}>
        <Button kind="primary" wide autoFocus onPress={() => void navigate({ to: '/chat', replace: true })}>
          {t('onboarding:invite.done')}
        </Button>
      </Page>
    );
  }
  return (
    <Page title={t('onboarding:join.invited_to', { inviter: preview.inviter.name })}>
      <div className={styles.org}>
        <GroupAvatar id={preview.org.id} name={preview.org.name} />
        <div>
          <strong className={styles.name}>{preview.org.name}</strong>
          <div className={styles.count}>{t('onboarding:join.members', { count: preview.org.member_count })}</div>
        </div>
      </div>
      {preview.approval ? <p className={form.notice}>{t('onboarding:join.approval')}</p> : null}
      {me && !entering ? (
        <>
          <FormError>{accept.general()}</FormError>
          <Button kind="primary" wide isPending={accept.pending} onPress={() => void accept.submit()}>
            {t('onboarding:join.accept_as', { name: me.name })}
          </Button>
        </>
      ) : (
        <>
          <SignUpForm invitation={code} submitLabel={t('onboarding:join.accept')} onDone={signedUp} />
          <PageFoot>
            {t('onboarding:join.have_account')}{' '}
            <Link to="/sign-in" search={{ to: `/join/${code}` }}>
              {t('onboarding:join.sign_in')}
            </Link>
          </PageFoot>
        </>
      )}
    </Page>
  );
}
