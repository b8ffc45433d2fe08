import { Label } from 'react-aria-components/Label';
import { ProgressBar } from 'react-aria-components/ProgressBar';
import styles from './Progress.module.css';

/** How far something is; without a value it only says that it goes on. */
export function Progress({
  label,
  value,
  max = 100,
  text,
}: {
  label: string;
  value?: number;
  max?: number;
  text?: string;
}) {
  return (
    <ProgressBar
      {...(value === undefined ? { isIndeterminate: true } : { value })}
      maxValue={max}
      {...(text ? { valueLabel: text } : {})}
      className={styles.progress ?? ''}
    >
      {({ percentage, valueText, isIndeterminate }) => (
        <>
          <span className={styles.words}>
            <Label>{label}</Label>
            <span className={styles.value}>{isIndeterminate ? null : valueText}</span>
          </span>
          <span className={styles.track}>
            <span
              className={isIndeterminate ? styles.running : styles.bar}
              style={isIndeterminate ? undefined : { width: `${percentage}%` }}
            />
          </span>
        </>
      )}
    </ProgressBar>
  );
}
