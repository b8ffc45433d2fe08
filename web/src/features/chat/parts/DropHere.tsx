import { useT } from '~/i18n';
import styles from './DropHere.module.css';

/** Over the conversation while files hang above it. */
export function DropHere() {
  const t = useT();
  return (
    <div className={styles.over} aria-hidden>
      <p className={styles.words}>{t('files:drop')}</p>
    </div>
  );
}
