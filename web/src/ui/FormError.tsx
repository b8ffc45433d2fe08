import styles from './FormError.module.css';

export function FormError({ children }: { children: string | undefined }) {
  return children ? (
    <p className={styles.error} role="alert">
      {children}
    </p>
  ) : null;
}
