import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';
import type { Second } from '../api';
import { CodeField } from './CodeField';

/** After the password: the code of the app, or one of the codes that were printed for a bad day. */
export function SecondStep({ onGive, onBack }: { onGive: (second: Second) => Promise<unknown>; onBack: () => void }) {
  const t = useT();
  const [recovery, setRecovery] = useState(false);
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
          hint={t('identity:second.recovery_hint')}
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
      <Button kind="quiet" wide onPress={turn}>
        {recovery ? t('identity:second.use_totp') : t('identity:second.use_recovery')}
      </Button>
      <Button kind="quiet" wide onPress={onBack}>
        {t('common:back')}
      </Button>
    </form>
  );
}
