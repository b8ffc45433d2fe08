import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';

/** A password in place of the PIN: from now on only its owner knows how to get in. */
export function NewPassword({
  onGive,
  onBack,
}: {
  onGive: (password: string) => Promise<unknown>;
  onBack: () => void;
}) {
  const t = useT();
  const [password, setPassword] = useState('');
  const { submit, pending, error, at, general } = useSubmit(() => onGive(password));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <form className={form.form} onSubmit={onSubmit}>
      <p className={form.notice}>{t('identity:card.choose')}</p>
      <Field
        label={t('identity:card.new_password')}
        hint={t('identity:sign_up.password_hint')}
        error={at('new_password') ?? (error?.code.startsWith('password_') ? general() : undefined)}
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        minLength={8}
        maxLength={256}
        autoFocus
        isRequired
      />
      <FormError>{error?.code.startsWith('password_') ? undefined : general('new_password')}</FormError>
      <Button kind="primary" wide type="submit" isPending={pending}>
        {t('identity:card.save')}
      </Button>
      <Button kind="quiet" wide onPress={onBack}>
        {t('common:back')}
      </Button>
    </form>
  );
}
