import { type FormEvent, type ReactNode, useState } from 'react';
import { AppError } from '~/api/client';
import type { SignedIn } from '~/api/types';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';
import { type Second, signIn } from '../api';
import { MergedAccount } from './MergedAccount';
import { NewPassword } from './NewPassword';
import { SecondStep, secondMethods } from './SecondStep';

type Step = 'password' | 'second' | 'new_password' | 'merged';

/**
 * Name and password. The server says, after a right password, what else it wants: the second factor, or a password of
 * one's own in place of the PIN on a card.
 */
export function PasswordSignIn({
  login: given,
  pin,
  shared,
  children,
  onDone,
}: {
  /** From the card that was scanned. */
  login?: string;
  /** It is a card: the secret is called a PIN. */
  pin?: boolean;
  shared: boolean;
  /** Between the fields and the button. */
  children?: ReactNode;
  onDone: (who: SignedIn) => Promise<void>;
}) {
  const t = useT();
  const [login, setLogin] = useState(given ?? '');
  const [password, setPassword] = useState('');
  const [step, setStep] = useState<Step>('password');
  const [methods, setMethods] = useState<string[]>();
  const attempt = async (more: Second & { new_password?: string }) => {
    try {
      await onDone(await signIn({ login: login.trim(), password, ...(shared ? { shared } : {}), ...more }));
    } catch (error) {
      const code = error instanceof AppError ? error.code : '';
      // Each is the answer to a right password, so the next question may be asked.
      if (error instanceof AppError && code === 'second_factor_required') {
        setMethods(secondMethods(error));
        return setStep('second');
      }
      if (code === 'pin_must_change') return setStep('new_password');
      if (code === 'account_merged') return setStep('merged');
      throw error;
    }
  };
  const { submit, pending, at, general } = useSubmit(attempt);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit({});
  };
  const back = () => setStep('password');
  if (step === 'merged') return <MergedAccount login={login.trim()} password={password} onBack={back} />;
  if (step === 'second') return <SecondStep methods={methods} onGive={attempt} onBack={back} />;
  if (step === 'new_password') {
    return <NewPassword onGive={(new_password) => attempt({ new_password })} onBack={back} />;
  }
  return (
    <form className={form.form} onSubmit={onSubmit}>
      <Field
        label={t('identity:sign_in.login')}
        hint={pin ? t('identity:card.login_hint') : t('identity:sign_in.login_hint')}
        error={at('login')}
        value={login}
        onChange={setLogin}
        autoComplete="username"
        autoFocus={!given}
        isRequired
      />
      <Field
        label={pin ? t('identity:card.pin') : t('identity:sign_in.password')}
        error={at('password')}
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
        autoFocus={Boolean(given)}
        isRequired
      />
      {children}
      <FormError>{general('login', 'password')}</FormError>
      <Button kind="primary" wide type="submit" isPending={pending}>
        {pin ? t('identity:card.submit') : t('identity:sign_in.submit')}
      </Button>
    </form>
  );
}
