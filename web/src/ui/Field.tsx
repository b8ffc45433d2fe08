import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { Input } from 'react-aria-components/Input';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import { useT } from '~/i18n';
import { IconButton } from './Button';
import { cx } from './cx';
import styles from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';

export interface FieldProps extends Omit<TextFieldProps, 'className' | 'style' | 'children'>, FieldText {
  placeholder?: string;
}

/** A line of text with its label above, a hint, and what is wrong with it below. */
export function Field({ label, hint, error, placeholder, type, ...props }: FieldProps) {
  const [shown, setShown] = useState(false);
  const t = useT();
  const password = type === 'password';
  return (
    // The browser's own validation would hold back a form whose field the server once refused, and speaks its own language.
    <TextField
      {...props}
      validationBehavior="aria"
      type={password && shown ? 'text' : (type ?? 'text')}
      isInvalid={Boolean(error)}
      className={styles.field ?? ''}
    >
      <FieldLabel required={props.isRequired}>{label}</FieldLabel>
      <div className={cx(styles.box, error && styles.wrong)}>
        <Input className={styles.input ?? ''} placeholder={placeholder ?? ''} />
        {password ? (
          <IconButton
            small
            label={shown ? t('common:hide_password') : t('common:show_password')}
            onPress={() => setShown(!shown)}
          >
            {shown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
          </IconButton>
        ) : null}
      </div>
      <FieldFoot error={error} hint={hint} />
    </TextField>
  );
}
