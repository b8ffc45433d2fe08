import type { ReactNode } from 'react';
import { Switch } from 'react-aria-components/Switch';
import styles from './Toggle.module.css';

/** On or off, with its words to the left. */
export function Toggle({
  children,
  on,
  onChange,
}: {
  children: ReactNode;
  on: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <Switch isSelected={on} onChange={onChange} className={styles.toggle ?? ''}>
      <span className={styles.words}>{children}</span>
      <span className={styles.track} aria-hidden />
    </Switch>
  );
}
