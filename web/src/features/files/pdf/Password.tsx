import { LockKeyhole } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import type { Asking } from '~/ui/pdf/engine';
import styles from '~/ui/pdf/pdf.module.css';
import frame from '../parts/Frame.module.css';

/** The file is locked: its password is used here and kept nowhere. */
export function Password({ asking }: { asking: Asking }) {
  const t = useT();
  const [password, setPassword] = useState('');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (password !== '') asking.answer(password);
  };
  return (
    <div className={frame.middle}>
      <form className={styles.password} onSubmit={submit}>
        <LockKeyhole aria-hidden size={32} />
        <Field
          type="password"
          label={t('files:read.password')}
          hint={t('files:read.password_hint')}
          value={password}
          onChange={setPassword}
          autoComplete="off"
          autoFocus
          {...(asking.wrong ? { error: t('files:read.password_wrong') } : {})}
        />
        <Button kind="primary" type="submit" wide isDisabled={password === ''}>
          {t('files:read.open')}
        </Button>
      </form>
    </div>
  );
}
