import { useT } from '~/i18n';
import styles from './Skeleton.module.css';

/** Rows in the shape of what comes: a round picture and two lines. */
export function SkeletonRows({ rows = 8 }: { rows?: number }) {
  const t = useT();
  return (
    <div className={styles.rows} role="status" aria-label={t('common:loading')} data-loading>
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

/** A table that is about to come. */
export function SkeletonTable({ rows = 6, columns = 4 }: { rows?: number; columns?: number }) {
  const t = useT();
  return (
    <div className={styles.rows} role="status" aria-label={t('common:loading')} data-loading>
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical rows that never move
        <div key={i} className={styles.cells} aria-hidden>
          {Array.from({ length: columns }, (_, j) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: as above
            <span key={j} className={j === 0 ? styles.line : styles.short} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** Fields of a form that is about to come. */
export function SkeletonForm({ fields = 3 }: { fields?: number }) {
  const t = useT();
  return (
    <div className={styles.rows} role="status" aria-label={t('common:loading')} data-loading>
      {Array.from({ length: fields }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical rows that never move
        <div key={i} className={styles.field} aria-hidden>
          <span className={styles.label} />
          <span className={styles.box} />
        </div>
      ))}
    </div>
  );
}
