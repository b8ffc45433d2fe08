import { useCallback, useEffect, useRef, useState } from 'react';
import type { AppError } from '~/api/client';
import { asAppError } from '~/api/client';
import type { SignedIn } from '~/api/types';
import { useErrorText, useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { QrCode } from '~/ui/QrCode';
import { askForLink, claimLink } from '../api';
import styles from './QrSignIn.module.css';

const ASK_EVERY_MS = 1_500;

/** As it stands on both devices. */
export const twoDigits = (number: number): string => String(number).padStart(2, '0');

interface Link {
  id: string;
  url: string;
  secret: string;
  /** Two digits, a leading zero not written. */
  number: number;
  expires_at: number;
}

/** A code for the phone that is signed in already: scan, compare the number, allow. */
export function QrSignIn({ shared, onDone }: { shared: boolean; onDone: (who: SignedIn) => Promise<void> }) {
  const t = useT();
  const text = useErrorText();
  const [link, setLink] = useState<Link>();
  const [seen, setSeen] = useState(false);
  const [error, setError] = useState<AppError>();
  const begin = useCallback(async () => {
    setError(undefined);
    setSeen(false);
    setLink(undefined);
    try {
      setLink(await askForLink(shared));
    } catch (e) {
      setError(asAppError(e));
    }
  }, [shared]);
  useEffect(() => void begin(), [begin]);

  const done = useRef(onDone);
  done.current = onDone;
  useEffect(() => {
    if (!link) return;
    let timer: ReturnType<typeof setTimeout>;
    let left = false;
    const look = async () => {
      try {
        const answer = await claimLink(link.id, link.secret);
        if (left) return;
        if ('user' in answer) return await done.current(answer);
        setSeen(answer.state === 'seen');
      } catch (e) {
        if (left) return;
        const failed = asAppError(e);
        // A cell that comes and goes is not the end of the code.
        if (!failed.transient) return setError(failed);
      }
      timer = setTimeout(look, ASK_EVERY_MS);
    };
    timer = setTimeout(look, ASK_EVERY_MS);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [link]);

  if (error) {
    return (
      <div className={styles.panel}>
        <p role="alert">{error.code === 'link_expired' ? t('identity:qr.expired') : text(error)}</p>
        <Button onPress={begin}>{t('identity:qr.again')}</Button>
      </div>
    );
  }
  return (
    <div className={styles.panel}>
      {link ? (
        <QrCode text={link.url} label={t('identity:qr.label')} />
      ) : (
        <div className={styles.code} role="status" aria-label={t('common:loading')} />
      )}
      <p className={styles.words} aria-live="polite">
        {seen ? t('identity:qr.seen') : t('identity:qr.how')}
      </p>
      {link ? (
        <p className={styles.number}>
          {t('identity:qr.number')} <strong>{twoDigits(link.number)}</strong>
        </p>
      ) : null}
    </div>
  );
}
