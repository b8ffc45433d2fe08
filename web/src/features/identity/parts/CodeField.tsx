import { Field, type FieldProps } from '~/ui/Field';

/** Six digits from a message or an app. Phones offer to fill them in. */
export function CodeField(props: Omit<FieldProps, 'type'>) {
  return (
    <Field
      {...props}
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={12}
      autoFocus
      isRequired
      onChange={(value) => props.onChange?.(value.replace(/[\s-]/g, ''))}
    />
  );
}
