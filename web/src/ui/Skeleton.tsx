import { useT } from '~/i18n';
import styles from './Skeleton.module.css';

/** Rows in the shape of what comes: a round picture and two lines. */
export function SkeletonRows({ rows = 8 }: { rows?: number }) {
  const t = useT();
  return (
    <div className={styles.rows} role="status" aria-label={t('common:loading')}>
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical rows that never move
        <div key={i} className={styles.row} aria-hidden>
          <span className={styles.round} />
          <span className={styles.lines}>
            <span className={styles.line} />
            <span className={styles.short} />
          </span>
        </div>
      ))}
    </div>
  );
}
