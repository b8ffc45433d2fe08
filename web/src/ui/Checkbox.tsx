import { Check, Minus } from 'lucide-react';
import type { ReactNode } from 'react';
import { Checkbox as AriaCheckbox, type CheckboxProps as AriaProps } from 'react-aria-components/Checkbox';
import { CheckboxGroup as AriaGroup } from 'react-aria-components/CheckboxGroup';
import styles from './Checkbox.module.css';
import field from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';

export interface CheckboxProps extends Omit<AriaProps, 'className' | 'style' | 'children'> {
  children?: ReactNode;
}

/** A tick, its words to the right. Half a tick stands for "some of them". */
export function Checkbox({ children, ...props }: CheckboxProps) {
  return (
    <AriaCheckbox {...props} className={styles.checkbox ?? ''}>
      {({ isIndeterminate, isSelected }) => (
        <>
          <span className={styles.box} aria-hidden>
            {isIndeterminate ? <Minus size={14} /> : isSelected ? <Check size={14} /> : null}
          </span>
          {children ? <span>{children}</span> : null}
        </>
      )}
    </AriaCheckbox>
  );
}

/** Any of a few, all in sight. */
export function CheckboxGroup<T extends string>({
  label,
  hint,
  error,
  value,
  options,
  onChange,
  isRequired,
  isDisabled,
}: FieldText & {
  value: readonly T[];
  options: readonly { id: T; label: string; isDisabled?: boolean }[];
  onChange: (value: T[]) => void;
  isRequired?: boolean;
  isDisabled?: boolean;
}) {
  return (
    <AriaGroup
      value={[...value]}
      onChange={(next) => onChange(next as T[])}
      isRequired={isRequired ?? false}
      isDisabled={isDisabled ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className={field.field ?? ''}
    >
      <FieldLabel required={isRequired}>{label}</FieldLabel>
      <div className={styles.options}>
        {options.map((o) => (
          <Checkbox key={o.id} value={o.id} isDisabled={o.isDisabled ?? false}>
            {o.label}
          </Checkbox>
        ))}
      </div>
      <FieldFoot error={error} hint={hint} />
    </AriaGroup>
  );
}
