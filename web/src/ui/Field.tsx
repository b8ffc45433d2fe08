import { Eye, EyeOff } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Text } from 'react-aria-components/Text';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import { useT } from '~/i18n';
import { IconButton } from './Button';
import { cx } from './cx';
import styles from './Field.module.css';

export interface FieldProps extends Omit<TextFieldProps, 'className' | 'style' | 'children'> {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value, in words; its presence marks the field. */
  error?: string | undefined;
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
      <Label className={styles.label ?? ''}>{label}</Label>
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
