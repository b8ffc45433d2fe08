import type { ReactNode } from 'react';
import styles from './files.module.css';

/** A key with a sign and a name that is heard. */
export function Key({
  label,
  first,
  disabled,
  onPress,
  children,
}: {
  label: string;
  /** It has the focus when what it stands on opens. */
  first?: boolean;
  disabled?: boolean;
  onPress: () => void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className={styles.key}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onPress}
      {...(first ? { 'data-first': true } : {})}
    >
      {children}
    </button>
  );
}
