import styles from './Badge.module.css';
import { cx } from './cx';

const MOST = 99;

/** A number in red is a promise: a person waits. Of news there is a grey dot. */
export function Badge({ count, label, muted }: { count?: number; label: string; muted?: boolean }) {
  if (count === 0) return null;
  if (count === undefined) return <span className={styles.dot} role="img" aria-label={label} />;
  return (
    <span className={cx(styles.badge, muted && styles.muted)} role="img" aria-label={label}>
      {count > MOST ? `${MOST}+` : count}
    </span>
  );
}

/** A word about a thing: its state, its kind. */
export function Tag({
  tone = 'plain',
  children,
}: {
  tone?: 'plain' | 'good' | 'warn' | 'bad' | 'mine';
  children: string;
}) {
  return <span className={cx(styles.tag, styles[tone])}>{children}</span>;
}
