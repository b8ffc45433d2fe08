import { Search, X } from 'lucide-react';
import { Button } from 'react-aria-components/Button';
import { Input } from 'react-aria-components/Input';
import { SearchField as AriaSearchField } from 'react-aria-components/SearchField';
import { useT } from '~/i18n';
import styles from './Field.module.css';
import own from './SearchField.module.css';

/** Finds in what is there. Its words stand in the box and are its name; Escape and the cross empty it. */
export function SearchField({
  label,
  value,
  onChange,
  onSubmit,
  autoFocus,
  maxLength,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Enter was pressed. */
  onSubmit?: () => void;
  autoFocus?: boolean;
  maxLength?: number;
}) {
  const t = useT();
  return (
    <AriaSearchField
      aria-label={label}
      value={value}
      onChange={onChange}
      autoFocus={autoFocus ?? false}
      {...(onSubmit && { onSubmit })}
      {...(maxLength !== undefined && { maxLength })}
      className={own.field ?? ''}
    >
      <Search aria-hidden className={own.glass} />
      <Input className={styles.input ?? ''} placeholder={label} autoComplete="off" />
      {value ? (
        <Button className={own.clear ?? ''} aria-label={t('ui:clear')}>
          <X aria-hidden size={16} />
        </Button>
      ) : null}
    </AriaSearchField>
  );
}
