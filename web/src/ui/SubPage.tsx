import { Link, type LinkProps } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import { useT } from '~/i18n';
import { cx } from './cx';
import styles from './SubPage.module.css';

/** A page inside the shell that one comes to from another: the way back, a title, one column. */
export function SubPage({
  title,
  back,
  wide,
  end,
  children,
}: {
  title: string;
  back: LinkProps;
  /** For tables. */
  wide?: boolean;
  end?: ReactNode;
  children: ReactNode;
}) {
  const t = useT();
  return (
    <main className={styles.page} id="content">
      <header className={styles.head}>
        <Link {...back} className={styles.back} aria-label={t('common:back')}>
          <ChevronLeft aria-hidden />
        </Link>
        <h1 className={styles.title}>{title}</h1>
        {end}
      </header>
      <div className={cx(styles.column, wide && styles.wide)}>{children}</div>
    </main>
  );
}
