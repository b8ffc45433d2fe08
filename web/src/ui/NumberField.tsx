import { Minus, Plus } from 'lucide-react';
import { Button } from 'react-aria-components/Button';
import { Group } from 'react-aria-components/Group';
import { Input } from 'react-aria-components/Input';
import { NumberField as AriaNumberField, type NumberFieldProps as AriaProps } from 'react-aria-components/NumberField';
import { cx } from './cx';
import styles from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';
import own from './NumberField.module.css';

export interface NumberFieldProps
  extends Omit<AriaProps, 'className' | 'style' | 'children' | 'value' | 'onChange'>,
    FieldText {
  value: number | undefined;
  onChange: (value: number | undefined) => void;
  /** Behind the number, such as 元 or 天. */
  unit?: string;
}

/** A number, typed or stepped; grouped as the language does it. */
export function NumberField({ label, hint, error, value, onChange, unit, ...props }: NumberFieldProps) {
  return (
    <AriaNumberField
      {...props}
      value={value ?? Number.NaN}
      onChange={(n) => onChange(Number.isNaN(n) ? undefined : n)}
      validationBehavior="aria"
      isInvalid={Boolean(error)}
      className={styles.field ?? ''}
    >
      <FieldLabel required={props.isRequired}>{label}</FieldLabel>
      <Group className={cx(styles.box, own.box, error && styles.wrong)}>
        <Button slot="decrement" className={own.step ?? ''}>
          <Minus aria-hidden size={16} />
        </Button>
        <Input className={cx(styles.input, own.input)} />
        {unit ? <span className={own.unit}>{unit}</span> : null}
        <Button slot="increment" className={own.step ?? ''}>
          <Plus aria-hidden size={16} />
        </Button>
      </Group>
      <FieldFoot error={error} hint={hint} />
    </AriaNumberField>
  );
}
