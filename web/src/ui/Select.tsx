import { Check, ChevronDown } from 'lucide-react';
import { Button } from 'react-aria-components/Button';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { Select as AriaSelect, SelectValue } from 'react-aria-components/Select';
import { useT } from '~/i18n';
import { cx } from './cx';
import field from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';
import menu from './Menu.module.css';
import styles from './Select.module.css';

/** One of several that need not all be in sight. Its words are read out alone, or stand above it as those of a field. */
export function Select<T extends string>({
  label,
  hint,
  error,
  value,
  options,
  onChange,
  isDisabled,
  isRequired,
  asField,
}: FieldText & {
  value: T | undefined;
  options: readonly { id: T; label: string; isDisabled?: boolean }[];
  onChange: (value: T) => void;
  isDisabled?: boolean;
  isRequired?: boolean;
  /** In a form: with its words above, a hint and what is wrong below. */
  asField?: boolean;
}) {
  const t = useT();
  return (
    <AriaSelect
      {...(asField ? {} : { 'aria-label': label })}
      value={value ?? null}
      onChange={(key) => onChange(key as T)}
      isDisabled={isDisabled ?? false}
      isRequired={isRequired ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      placeholder={t('ui:choose')}
      className={(asField ? field.field : styles.select) ?? ''}
    >
      {asField ? <FieldLabel required={isRequired}>{label}</FieldLabel> : null}
      <Button className={cx(styles.button, asField && styles.inForm, error && styles.wrong)}>
        <SelectValue />
        <ChevronDown aria-hidden size={16} />
      </Button>
      <FieldFoot error={error} hint={hint} />
      <Popover className={menu.popover ?? ''}>
        <ListBox className={menu.menu ?? ''}>
          {options.map((o) => (
            <ListBoxItem
              key={o.id}
              id={o.id}
              textValue={o.label}
              isDisabled={o.isDisabled ?? false}
              className={menu.item ?? ''}
            >
              {({ isSelected }) => (
                <>
                  <span className={styles.check}>{isSelected ? <Check aria-hidden size={16} /> : null}</span>
                  {o.label}
                </>
              )}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
