import type { ReactNode } from 'react';
import { cx } from './cx';
import styles from './TopPage.module.css';

/** A place of the rail: its title, what acts on all of it, one column. */
export function TopPage({
  title,
  end,
  wide,
  children,
}: {
  title: string;
  end?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <main className={styles.page} id="content">
      <header className={styles.head}>
        <h1 className={styles.title}>{title}</h1>
        {end}
      </header>
      <div className={cx(styles.column, wide && styles.wide)}>{children}</div>
    </main>
  );
}
