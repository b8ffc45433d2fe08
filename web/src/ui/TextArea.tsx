import { TextArea as AriaTextArea } from 'react-aria-components/TextArea';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import { cx } from './cx';
import styles from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';

export interface TextAreaProps extends Omit<TextFieldProps, 'className' | 'style' | 'children'>, FieldText {
  rows?: number;
}

/** As `Field`, for several lines. */
export function TextArea({ label, hint, error, rows = 3, ...props }: TextAreaProps) {
  return (
    <TextField {...props} validationBehavior="aria" isInvalid={Boolean(error)} className={styles.field ?? ''}>
      <FieldLabel required={props.isRequired}>{label}</FieldLabel>
      <div className={cx(styles.box, error && styles.wrong)}>
        <AriaTextArea className={cx(styles.input, styles.area)} rows={rows} />
      </div>
      <FieldFoot error={error} hint={hint} />
    </TextField>
  );
}
