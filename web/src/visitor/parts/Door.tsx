import { type FormEvent, useState } from 'react';
import { type AppError, asAppError } from '~/api/client';
import type { GuestLook } from '~/api/types';
import * as api from '../api';
import { useErrorText, useT } from '../i18n';
import { forget, type Kept, keep } from '../kept';
import { dropAll } from '../talk';
import styles from '../visitor.module.css';
import { Face } from './Face';
import { Who } from './Who';

/** Who answers, then a name, and nothing else. */
export function Door({
  code,
  look,
  again,
  former,
  onBack,
  onEntered,
}: {
  code: string;
  look: GuestLook;
  again: boolean;
  /** Who talked on this device before, until somebody else has come in. */
  former: Kept | undefined;
  onBack: (former: Kept) => void;
  onEntered: (kept: Kept, remembers: boolean) => void;
}) {
  const t = useT();
  const text = useErrorText();
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  const enter = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !name.trim()) return;
    setBusy(true);
    setError(undefined);
    try {
      const entered = await api.enter(code, name.trim());
      const { token, user, conversation } = entered;
      const kept: Kept = { token, user: user.id, name: user.name, conversation, look };
      // Nothing of whoever was here before: no draft of theirs, and no file they chose.
      forget(code);
      if (former) await dropAll(former.user);
      onEntered(kept, keep(code, kept));
    } catch (thrown) {
      setError(asAppError(thrown));
      setBusy(false);
    }
  };
  const group = look.group;
  return (
    <>
      {again ? <p className={styles.note}>{t('visitor:door.again')}</p> : null}
      <section className={styles.host} aria-label={t('visitor:door.answers')}>
        <Face code={code} name={look.host.name} photo={look.host.photo} />
        <Who look={look} />
        <h1 className={styles.title}>
          <bdi>{look.org}</bdi>
        </h1>
        {group ? (
          <p className={styles.quiet}>
            {group.title ? t('visitor:door.group', { title: group.title }) : t('visitor:door.group_unnamed')} ·{' '}
            {t('visitor:door.members', { count: group.member_count })}
          </p>
        ) : null}
      </section>
      <form className={styles.form} onSubmit={(event) => void enter(event)}>
        <label className={styles.label} htmlFor="name">
          {t('visitor:door.name')}
        </label>
        <input
          id="name"
          className={styles.input}
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={50}
          autoComplete="nickname"
          enterKeyHint="go"
          aria-describedby="hint error"
          aria-invalid={error ? true : undefined}
        />
        <p id="hint" className={styles.hint}>
          {t('visitor:door.name_hint')}
        </p>
        <p id="error" className={styles.error} role="alert">
          {error ? text(error) : ''}
        </p>
        <button type="submit" className={styles.primary} aria-disabled={busy || !name.trim()}>
          {t('visitor:door.enter')}
        </button>
      </form>
      {former ? (
        <button type="button" className={styles.plain} onClick={() => onBack(former)}>
          {t('visitor:who.back', { name: former.name })}
        </button>
      ) : null}
      <p className={styles.hint}>{t('visitor:door.privacy')}</p>
    </>
  );
}
