import { useId } from 'react';
import styles from './Choice.module.css';
import { cx } from './cx';

/** One of a few, all in sight: chips above a list, or segments in settings. The browser's own radio buttons: small and known to every reader of screens. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
  chips,
}: {
  label: string;
  value: T;
  options: readonly { id: T; label: string }[];
  onChange: (value: T) => void;
  chips?: boolean;
}) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className={cx(styles.group, chips ? styles.chips : styles.segments)}>
      {options.map((o) => (
        <label key={o.id} className={cx(styles.option, o.id === value && styles.selected)}>
          <input
            type="radio"
            className={styles.radio}
            name={name}
            value={o.id}
            checked={o.id === value}
            onChange={() => onChange(o.id)}
          />
          {o.label}
        </label>
      ))}
    </div>
  );
}
