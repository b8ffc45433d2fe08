import type { ReactNode } from 'react';
import { Label } from 'react-aria-components/Label';
import { Text } from 'react-aria-components/Text';
import styles from './Field.module.css';

/** What every control with words around it takes. */
export interface FieldText {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value, in words; its presence marks the field. */
  error?: string | undefined;
}

/** The words above a control. The star is for the eye; readers of screens are told by the control itself. */
export function FieldLabel({ required, children }: { required?: boolean | undefined; children: ReactNode }) {
  return (
    <span className={styles.labels}>
      <Label className={styles.label ?? ''}>{children}</Label>
      {required ? (
        <span className={styles.star} aria-hidden>
          *
        </span>
      ) : null}
    </span>
  );
}

/** The words below a control: what is wrong, else the hint. */
export function FieldFoot({ error, hint }: Pick<FieldText, 'error' | 'hint'>) {
  if (error) {
    return (
      <Text slot="errorMessage" className={styles.error ?? ''}>
        {error}
      </Text>
    );
  }
  return hint ? (
    <Text slot="description" className={styles.hint ?? ''}>
      {hint}
    </Text>
  ) : null;
}
