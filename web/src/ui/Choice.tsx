import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import styles from './Choice.module.css';
import { cx } from './cx';

/** One of a few, all in sight: chips above a list, or segments in settings. */
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
  return (
    <RadioGroup
      aria-label={label}
      orientation="horizontal"
      value={value}
      onChange={(v) => onChange(v as T)}
      className={cx(styles.group, chips ? styles.chips : styles.segments)}
    >
      {options.map((o) => (
        <Radio key={o.id} value={o.id} className={styles.option ?? ''}>
          {o.label}
        </Radio>
      ))}
    </RadioGroup>
  );
}
