import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useStore } from 'zustand';
import { AppError } from '~/api/client';
import type { InvitationPreview, User } from '~/api/types';
import { sessionLifecycle } from '~/core/lifecycle';
import { session } from '~/core/store/session';
import { acceptInvitation, directory, readInvitation, readOrgs } from '~/features/directory';
import { LoginShown, type SignedIn, SignUpForm } from '~/features/identity';
import { useT } from '~/i18n';
import { GroupAvatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { FailedState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
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
  const [made, setMade] = useState<SignedIn>();
  const [joining, setJoining] = useState(false);
  const [landing, setLanding] = useState<string>();
  const land = (conversation: string) =>
    navigate({ to: '/chat/$conversation', params: { conversation }, replace: true });
  const enter = async (): Promise<string> => {
    try {
      return (await acceptInvitation(code)).conversation;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'already_member') throw error;
      await readOrgs();
      return directory.getState().orgs[preview.org.id]?.all_staff ?? '';
    }
  };
  const accept = useSubmit(async () => {
    await land(await enter());
  });
  // Signing up with the invitation may have joined already; accepting says which conversation to land in.
  const signedUp = async (signedIn: SignedIn) => {
    setJoining(true);
    try {
      await sessionLifecycle().begin(signedIn.user, signedIn.session);
      setLanding(await enter());
      setMade(signedIn);
    } finally {
      // If joining failed there is an account by now: the page offers to join with it.
      setJoining(false);
    }
  };
  if (made && landing !== undefined) {
    return <LoginShown login={made.user.login ?? made.user.name} onContinue={() => void land(landing)} />;
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
      {me && !joining ? (
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
