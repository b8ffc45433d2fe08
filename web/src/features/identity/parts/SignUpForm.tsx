import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';
import { type SignedIn, signUp } from '../api';

/** Name and password, nothing else. */
export function SignUpForm({
  invitation,
  setupToken,
  submitLabel,
  onDone,
}: {
  invitation?: string;
  setupToken?: string;
  submitLabel?: string;
  onDone: (signedIn: SignedIn) => Promise<void> | void;
}) {
  const t = useT();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const { submit, pending, at, general } = useSubmit(async () => {
    const more = { ...(invitation ? { invitation } : {}), ...(setupToken ? { setup_token: setupToken } : {}) };
    await onDone(await signUp({ name: name.trim(), password, ...more }));
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <form className={form.form} onSubmit={onSubmit}>
      <Field
        label={t('identity:sign_up.name')}
        hint={t('identity:sign_up.name_hint')}
        error={at('name')}
        value={name}
        onChange={setName}
        autoComplete="name"
        maxLength={50}
        autoFocus
        isRequired
      />
      <Field
        label={t('identity:sign_up.password')}
        hint={t('identity:sign_up.password_hint')}
        error={at('password')}
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        minLength={8}
        maxLength={256}
        isRequired
      />
      <FormError>{general('name', 'password')}</FormError>
      <Button kind="primary" wide type="submit" isPending={pending}>
        {submitLabel ?? t('identity:sign_up.submit')}
      </Button>
    </form>
  );
}
