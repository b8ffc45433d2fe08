import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useStore } from 'zustand';
import { type AppError, asAppError } from '~/api/client';
import type { InvitationPreview, User } from '~/api/types';
import { sessionLifecycle } from '~/core/lifecycle';
import { session } from '~/core/store/session';
import { acceptInvitation, readInvitation } from '~/features/directory';
import { type SignedIn, SignUpForm } from '~/features/identity';
import { useErrorText, useT } from '~/i18n';
import { GroupAvatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { FailedState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page, PageFoot } from '~/ui/Page';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import styles from './Join.module.css';

/** Answers after which the same invitation will never do. */
const DEAD = new Set(['invitation_invalid', 'invitation_used_up', 'not_found']);

/** An invitation link. Whoever holds one never sees "create an organisation". */
export function Join() {
  const t = useT();
  const { code } = useParams({ from: '/join/$code' });
  const me = useStore(session, (s) => s.me);
  const preview = useQuery({ queryKey: ['invitation', code], queryFn: () => readInvitation(code), retry: false });
  if (preview.isError) return <NotInvited error={asAppError(preview.error)} retry={() => void preview.refetch()} />;
  if (!preview.data) {
    return (
      <Page title={t('onboarding:join.title')}>
        <SkeletonRows rows={2} />
      </Page>
    );
  }
  return <Invited code={code} preview={preview.data} me={me} />;
}

/** Asking again helps where the network failed; a dead invitation needs another one. */
function NotInvited({ error, retry }: { error: AppError; retry: () => void }) {
  const t = useT();
  const text = useErrorText();
  const navigate = useNavigate();
  if (!DEAD.has(error.code)) {
    return (
      <Page title={t('onboarding:join.title')}>
        <FailedState error={error} retry={retry} />
      </Page>
    );
  }
  return (
    <Page title={t('onboarding:join.invalid_title')} lead={text(error)}>
      <Button kind="primary" wide onPress={() => void navigate({ to: '/join' })}>
        {t('onboarding:join.another')}
      </Button>
      <Button wide onPress={() => void navigate({ to: '/' })}>
        {t('common:back')}
      </Button>
    </Page>
  );
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
    if (accepted.state === 'joined') {
      await land(accepted.conversation);
      toast(t('onboarding:join.joined', { org: preview.org.name }));
    } else setWaiting(true);
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
