import type { ReactNode } from 'react';
import { Label } from 'react-aria-components/Label';
import { Text } from 'react-aria-components/Text';
import { TextArea as AriaTextArea } from 'react-aria-components/TextArea';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import { cx } from './cx';
import styles from './Field.module.css';

export interface TextAreaProps extends Omit<TextFieldProps, 'className' | 'style' | 'children'> {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  rows?: number;
}

/** As `Field`, for several lines. */
export function TextArea({ label, hint, error, rows = 3, ...props }: TextAreaProps) {
  return (
    <TextField {...props} validationBehavior="aria" isInvalid={Boolean(error)} className={styles.field ?? ''}>
      <Label className={styles.label ?? ''}>{label}</Label>
      <div className={cx(styles.box, error && styles.wrong)}>
        <AriaTextArea className={cx(styles.input, styles.area)} rows={rows} />
      </div>
      {error ? (
        <Text slot="errorMessage" className={styles.error ?? ''}>
          {error}
        </Text>
      ) : hint ? (
        <Text slot="description" className={styles.hint ?? ''}>
          {hint}
        </Text>
      ) : null}
    </TextField>
  );
}
