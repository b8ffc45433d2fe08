import { useT } from '~/i18n';
import styles from './Marks.module.css';

export interface PersonMarks {
  external?: boolean;
  unverified?: boolean;
  lookalike?: boolean;
}

/** What one should know of a person before believing their name. The same on every surface. */
export function Marks({ of }: { of: PersonMarks }) {
  const t = useT();
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
