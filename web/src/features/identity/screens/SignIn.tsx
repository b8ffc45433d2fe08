import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useStore } from 'zustand';
import { sessionLifecycle } from '~/core/lifecycle';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page, PageFoot } from '~/ui/Page';
import { useSubmit } from '~/ui/useSubmit';
import { signIn } from '../api';

export function SignIn() {
  const t = useT();
  const navigate = useNavigate();
  const { to } = useSearch({ from: '/sign-in' });
  const ended = useStore(session, (s) => s.endedElsewhere);
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const { submit, pending, at, general } = useSubmit(async () => {
    const { user } = await signIn(login.trim(), password);
    await sessionLifecycle().begin(user);
    await navigate({ to: to ?? '/', replace: true });
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Page title={t('identity:sign_in.title')}>
      {ended ? <p className={form.notice}>{t('identity:sign_in.ended')}</p> : null}
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={t('identity:sign_in.login')}
          hint={t('identity:sign_in.login_hint')}
          error={at('login')}
          value={login}
          onChange={setLogin}
          autoComplete="username"
          autoFocus
          isRequired
        />
        <Field
          label={t('identity:sign_in.password')}
          error={at('password')}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          isRequired
        />
        <FormError>{general('login', 'password')}</FormError>
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('identity:sign_in.submit')}
        </Button>
      </form>
      <PageFoot>
        {t('identity:sign_in.no_account')} <Link to="/welcome">{t('identity:sign_in.sign_up')}</Link>
      </PageFoot>
    </Page>
  );
}
