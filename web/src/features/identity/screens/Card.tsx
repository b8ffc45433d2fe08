import { useParams } from '@tanstack/react-router';
import { useStore } from 'zustand';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { FormError } from '~/ui/FormError';
import { Page } from '~/ui/Page';
import { PasswordSignIn } from '../parts/PasswordSignIn';
import { useEnter } from '../parts/useEnter';

/** What the code on a printed card leads to: its PIN opens the account once, then the person has a password. */
export function Card() {
  const t = useT();
  const { login } = useParams({ from: '/card/$login' });
  const me = useStore(session, (s) => s.me);
  const enter = useEnter(undefined);
  return (
    <Page title={t('identity:card.title')} lead={t('identity:card.text')}>
      {me ? (
        <FormError>{t('identity:card.signed_in', { name: me.name })}</FormError>
      ) : (
        <PasswordSignIn login={login} pin shared={false} onDone={enter} />
      )}
    </Page>
  );
}
