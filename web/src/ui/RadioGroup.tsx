import { RadioGroup as AriaGroup, Radio } from 'react-aria-components/RadioGroup';
import { cx } from './cx';
import field from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';
import styles from './RadioGroup.module.css';

/** One of a few that want a line of their own, with what each means. */
export function RadioGroup<T extends string>({
  label,
  hint,
  error,
  value,
  options,
  onChange,
  isRequired,
  isDisabled,
  inline,
}: FieldText & {
  value: T | undefined;
  options: readonly { id: T; label: string; detail?: string; isDisabled?: boolean }[];
  onChange: (value: T) => void;
  isRequired?: boolean;
  isDisabled?: boolean;
  /** Side by side instead of below one another. */
  inline?: boolean;
}) {
  return (
    <AriaGroup
      value={value ?? null}
      onChange={(v) => onChange(v as T)}
      isRequired={isRequired ?? false}
      isDisabled={isDisabled ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className={field.field ?? ''}
    >
      <FieldLabel required={isRequired}>{label}</FieldLabel>
      <div className={cx(styles.options, inline && styles.inline)}>
        {options.map((o) => (
          <Radio key={o.id} value={o.id} isDisabled={o.isDisabled ?? false} className={styles.radio ?? ''}>
            <span className={styles.ring} aria-hidden />
            <span>
              {o.label}
              {o.detail ? <span className={styles.detail}>{o.detail}</span> : null}
            </span>
          </Radio>
        ))}
      </div>
      <FieldFoot error={error} hint={hint} />
    </AriaGroup>
  );
}
