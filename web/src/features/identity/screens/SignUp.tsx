import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { sessionLifecycle } from '~/core/lifecycle';
import { useT } from '~/i18n';
import { Page, PageFoot } from '~/ui/Page';
import type { SignedIn } from '../api';
import { LoginShown } from '../parts/LoginShown';
import { SignUpForm } from '../parts/SignUpForm';

/** Signing up on the way to a new organisation, or to joining one. */
export function SignUp() {
  const t = useT();
  const { next } = useSearch({ from: '/sign-up' });
  return <Account title={t('identity:sign_up.title')} then={next === 'join' ? '/join' : '/create'} signIn />;
}

/** The one-time link for the first owner of a server. */
export function Setup() {
  const t = useT();
  const { token } = useParams({ from: '/setup/$token' });
  return (
    <Account
      title={t('identity:sign_up.title_owner')}
      lead={t('identity:sign_up.owner_text')}
      setupToken={token}
      then="/create"
    />
  );
}

function Account({
  title,
  lead,
  setupToken,
  then,
  signIn,
}: {
  title: string;
  lead?: string;
  setupToken?: string;
  then: '/create' | '/join';
  signIn?: boolean;
}) {
  const t = useT();
  const navigate = useNavigate();
  const [made, setMade] = useState<SignedIn>();
  if (made) {
    const onContinue = () => void navigate({ to: then, replace: true });
    return <LoginShown login={made.user.login ?? made.user.name} onContinue={onContinue} />;
  }
  const onDone = async (signedIn: SignedIn) => {
    await sessionLifecycle().begin(signedIn.user, signedIn.session);
    setMade(signedIn);
  };
  return (
    <Page title={title} lead={lead}>
      <SignUpForm {...(setupToken ? { setupToken } : {})} onDone={onDone} />
      {signIn ? (
        <PageFoot>
          {t('identity:sign_up.have_account')}{' '}
          <Link to="/sign-in" search={{ to: then }}>
            {t('identity:sign_up.sign_in')}
          </Link>
        </PageFoot>
      ) : null}
    </Page>
  );
}
