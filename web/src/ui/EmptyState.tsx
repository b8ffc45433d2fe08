import type { ReactNode } from 'react';
import { asAppError } from '~/api/client';
import { useErrorText, useT } from '~/i18n';
import { Button } from './Button';
import styles from './EmptyState.module.css';

/** Nothing here yet: says so, and what to do. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.state}>
      {icon ? <div className={styles.icon}>{icon}</div> : null}
      <p className={styles.title}>{title}</p>
      {children ? <div className={styles.text}>{children}</div> : null}
      {action}
    </div>
  );
}

/** It did not work: what happened, and the next step. */
export function FailedState({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT();
  const text = useErrorText();
  return (
    <div className={styles.state} role="alert">
      <p className={styles.title}>{t('common:failed_title')}</p>
      <p className={styles.text}>{text(asAppError(error))}</p>
      {retry ? <Button onPress={retry}>{t('common:retry')}</Button> : null}
    </div>
  );
}
