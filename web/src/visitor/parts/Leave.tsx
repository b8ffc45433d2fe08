import { useEffect, useRef, useState } from 'react';
import { type AppError, asAppError } from '~/api/client';
import { useErrorText, useT } from '../i18n';
import styles from '../visitor.module.css';

/** What cannot be undone is asked on a page of its own, naming what is lost. */
export function Leave({ onStay, onLeave }: { onStay: () => void; onLeave: () => Promise<void> }) {
  const t = useT();
  const text = useErrorText();
  const title = useRef<HTMLHeadingElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError>();
  useEffect(() => title.current?.focus(), []);
  const go = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await onLeave();
    } catch (thrown) {
      setError(asAppError(thrown));
      setBusy(false);
    }
  };
  return (
    <div className={styles.page}>
      <main className={styles.card}>
        <h1 ref={title} tabIndex={-1} className={styles.title}>
          {t('visitor:leave.title')}
        </h1>
        <p className={styles.quiet}>{t('visitor:leave.text')}</p>
        <p className={styles.error} role="alert">
          {error ? text(error) : ''}
        </p>
        <button type="button" className={styles.danger} aria-disabled={busy} onClick={() => void go()}>
          {t('visitor:leave.confirm')}
        </button>
        <button type="button" className={styles.plain} onClick={onStay}>
          {t('visitor:leave.stay')}
        </button>
      </main>
    </div>
  );
}
