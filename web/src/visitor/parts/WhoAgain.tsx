import { useEffect, useRef } from 'react';
import { useT } from '../i18n';
import type { Kept } from '../kept';
import styles from '../visitor.module.css';
import { Who } from './Who';

/** A device may be of many: what was said on it opens for whoever says that they said it. */
export function WhoAgain({ kept, onGoOn, onOther }: { kept: Kept; onGoOn: () => void; onOther: () => void }) {
  const t = useT();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <>
      <section className={styles.host} aria-label={t('visitor:door.answers')}>
        <Who look={kept.look} />
        <p className={styles.quiet}>
          <bdi>{kept.look.org}</bdi>
        </p>
      </section>
      <h1 ref={title} tabIndex={-1} className={styles.title}>
        {t('visitor:who.title')}
      </h1>
      <p className={styles.quiet}>{t('visitor:who.text', { name: kept.name })}</p>
      <button type="button" className={styles.primary} onClick={onGoOn}>
        {t('visitor:who.go_on', { name: kept.name })}
      </button>
      <button type="button" className={styles.plain} onClick={onOther}>
        {t('visitor:who.other')}
      </button>
    </>
  );
}
