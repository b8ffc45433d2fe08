import { Fingerprint } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';
import { type SignedIn, signUp, signUpByPasskey } from '../api';
import { passkeysHere } from '../passkey';

/**
 * A name, and a way to come back: a password, or the device's face or finger. Whoever is invited is asked for the name
 * alone and finds the rest under "me" later.
 */
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
  const shown = { ...(invitation ? { invitation } : {}), ...(setupToken ? { setup_token: setupToken } : {}) };
  const byPassword = useSubmit(async () => {
    await onDone(await signUp({ name: name.trim(), ...(invitation ? {} : { password }), ...shown }));
  });
  const byPasskey = useSubmit(async () => {
    await onDone(await signUpByPasskey({ name: name.trim(), ...shown }));
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void byPassword.submit();
  };
  return (
    <form className={form.form} onSubmit={onSubmit}>
      <Field
        label={t('identity:sign_up.name')}
        hint={t('identity:sign_up.name_hint')}
        error={byPassword.at('name') ?? byPasskey.at('name')}
        value={name}
        onChange={setName}
        autoComplete="name"
        maxLength={50}
        autoFocus
        isRequired
      />
      {invitation ? (
        <p className={form.hint}>{t('identity:sign_up.name_only')}</p>
      ) : (
        <Field
          label={t('identity:sign_up.password')}
          hint={t('identity:sign_up.password_hint')}
          error={byPassword.at('password')}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          minLength={8}
          maxLength={256}
          isRequired
        />
      )}
      <FormError>{byPassword.general('name', 'password') ?? byPasskey.general('name')}</FormError>
      <Button kind="primary" wide type="submit" isPending={byPassword.pending}>
        {submitLabel ?? t('identity:sign_up.submit')}
      </Button>
      {!invitation && passkeysHere() ? (
        <Button wide isPending={byPasskey.pending} onPress={() => void byPasskey.submit()}>
          <Fingerprint aria-hidden size={18} />
          {t('identity:sign_up.by_passkey')}
        </Button>
      ) : null}
    </form>
  );
}
