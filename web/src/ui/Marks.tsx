import { useT } from '~/i18n';
import styles from './Marks.module.css';

export interface PersonMarks {
  external?: boolean;
  unverified?: boolean;
  lookalike?: boolean;
  /** Came by a link and has no account: that they are from outside and vouched for by nobody goes without saying. */
  guest?: boolean;
}

/** What one should know of a person before believing their name. The same on every surface. */
export function Marks({ of }: { of: PersonMarks }) {
  const t = useT();
  if (of.guest) return <span className={styles.external}>{t('common:marks.guest')}</span>;
  return (
    <>
      {of.external ? <span className={styles.external}>{t('common:marks.external')}</span> : null}
      {of.lookalike ? <span className={styles.lookalike}>{t('common:marks.lookalike')}</span> : null}
      {of.unverified && !of.lookalike ? (
        <span className={styles.unverified}>{t('common:marks.unverified')}</span>
      ) : null}
    </>
  );
}
