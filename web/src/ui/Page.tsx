import type { ReactNode } from 'react';
import { useT } from '~/i18n';
import { Mark } from './Mark';
import styles from './Page.module.css';

/** A page outside the shell: the mark, one column, one thing to do. */
export function Page({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  const t = useT();
  return (
    <main className={styles.page} id="content">
      <div className={styles.column}>
        <p className={styles.brand}>
          <Mark size={48} />
          {t('common:product')}
        </p>
        <h1 className={styles.title}>{title}</h1>
        {lead ? <div className={styles.lead}>{lead}</div> : null}
        {children}
      </div>
    </main>
  );
}

/** A line at the foot of a form that leads elsewhere. */
export function PageFoot({ children }: { children: ReactNode }) {
  return <p className={styles.foot}>{children}</p>;
}
