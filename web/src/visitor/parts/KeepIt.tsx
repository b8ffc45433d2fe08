import { useRef, useState } from 'react';
import { copyText } from '~/ui/copy';
import { useT } from '../i18n';
import styles from '../visitor.module.css';

/**
 * The address to take along: once after the first answer, or at once where this page cannot remember anybody and a real
 * browser is the only way back.
 */
export function KeepIt({ forgets, onClose }: { forgets: boolean; onClose: (() => void) | undefined }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState<'copied' | 'by_hand'>();
  const copy = async () => {
    const done = await copyText(location.href).catch(() => false);
    setSaid(done ? 'copied' : 'by_hand');
    if (!done) input.current?.select();
  };
  return (
    <aside className={forgets ? styles.warn : styles.keep} aria-labelledby="keep">
      <strong id="keep">{t(forgets ? 'visitor:keep.open' : 'visitor:keep.title')}</strong>
      <p>{t(forgets ? 'visitor:keep.forgets' : 'visitor:keep.text')}</p>
      <input
        ref={input}
        className={styles.address}
        readOnly
        aria-labelledby="keep"
        value={location.href}
        onFocus={(event) => event.target.select()}
      />
      <div className={styles.buttons}>
        <button type="button" className={styles.plain} onClick={() => void copy()}>
          {t('visitor:keep.copy')}
        </button>
        {onClose ? (
          <button type="button" className={styles.link} onClick={onClose}>
            {t('visitor:keep.close')}
          </button>
        ) : null}
      </div>
      <p role="status">{said === 'copied' ? t('visitor:keep.copied') : said ? t('visitor:keep.by_hand') : ''}</p>
    </aside>
  );
}
