import { type FormEvent, useState } from 'react';
import type { AppError } from '~/api/client';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';
import type { Second } from '../api';
import { CodeField } from './CodeField';

/** What the server takes beside the password, by its answer; a server that does not say it takes both. */
export function secondMethods(error: AppError): string[] | undefined {
  const { methods } = error.context;
  return Array.isArray(methods) ? methods.filter((method) => typeof method === 'string') : undefined;
}

/**
 * After the password: the code of the app, or one of the codes that were printed for a bad day. The app is not offered
 * where the server says that it cannot check its codes.
 */
export function SecondStep({
  methods,
  onGive,
  onBack,
}: {
  methods?: string[] | undefined;
  onGive: (second: Second) => Promise<unknown>;
  onBack: () => void;
}) {
  const only = methods?.includes('recovery_code') && !methods.includes('totp');
  const t = useT();
  const [turned, setRecovery] = useState(false);
  const recovery = only || turned;
  const [code, setCode] = useState('');
  const { submit, pending, at, general } = useSubmit(() =>
    onGive(recovery ? { recovery_code: code.trim() } : { totp: code.trim() }),
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const turn = () => {
    setRecovery(!recovery);
    setCode('');
  };
  return (
    <form className={form.form} onSubmit={onSubmit}>
      {recovery ? (
        <Field
          key="recovery"
          label={t('identity:second.recovery_code')}
          hint={only ? t('identity:second.recovery_only') : t('identity:second.recovery_hint')}
          error={at('recovery_code') ?? general('totp')}
          value={code}
          onChange={setCode}
          autoFocus
          isRequired
        />
      ) : (
        <CodeField
          key="totp"
          label={t('identity:second.totp')}
          hint={t('identity:second.totp_hint')}
          error={at('totp') ?? general('recovery_code')}
          value={code}
          onChange={setCode}
        />
      )}
      <Button kind="primary" wide type="submit" isPending={pending}>
        {t('identity:second.submit')}
      </Button>
      {only ? null : (
        <Button kind="quiet" wide onPress={turn}>
          {recovery ? t('identity:second.use_totp') : t('identity:second.use_recovery')}
        </Button>
      )}
      <Button kind="quiet" wide onPress={onBack}>
        {t('common:back')}
      </Button>
    </form>
  );
}
