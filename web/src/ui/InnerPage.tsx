import { Link, type LinkProps } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import { useT } from '~/i18n';
import { cx } from './cx';
import styles from './InnerPage.module.css';

/** A page inside the shell: the way back where one comes from another, its title, what acts on all of it, one column. */
export function InnerPage({
  title,
  back,
  wide,
  middle,
  end,
  children,
}: {
  title: string;
  back?: LinkProps;
  /** For tables. */
  wide?: boolean;
  /** For what stands in the middle of the page because nothing else is there. */
  middle?: boolean;
  end?: ReactNode;
  children: ReactNode;
}) {
  const t = useT();
  return (
    <main className={styles.page} id="content">
      <header className={styles.head}>
        {back ? (
          <Link {...back} className={styles.back} aria-label={t('common:back')}>
            <ChevronLeft aria-hidden />
          </Link>
        ) : null}
        <h1 className={styles.title}>{title}</h1>
        {end}
      </header>
      <div className={cx(styles.column, wide && styles.wide, middle && styles.middle)}>{children}</div>
    </main>
  );
}
