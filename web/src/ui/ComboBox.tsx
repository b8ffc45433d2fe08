import { Check, ChevronDown } from 'lucide-react';
import { Button } from 'react-aria-components/Button';
import { ComboBox as AriaComboBox } from 'react-aria-components/ComboBox';
import { Group } from 'react-aria-components/Group';
import { Input } from 'react-aria-components/Input';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { useT } from '~/i18n';
import own from './ComboBox.module.css';
import { cx } from './cx';
import styles from './Field.module.css';
import { FieldFoot, FieldLabel, type FieldText } from './fieldParts';
import menu from './Menu.module.css';

export interface Option<T extends string = string> {
  id: T;
  label: string;
  /** A second line, which tells equal labels apart. */
  detail?: string;
}

/** One of many, found by typing a part of its name. */
export function ComboBox<T extends string>({
  label,
  hint,
  error,
  value,
  options,
  onChange,
  isDisabled,
  isRequired,
}: FieldText & {
  value: T | undefined;
  options: readonly Option<T>[];
  onChange: (value: T | undefined) => void;
  isDisabled?: boolean;
  isRequired?: boolean;
}) {
  const t = useT();
  return (
    <AriaComboBox
      defaultItems={options}
      value={value ?? null}
      onChange={(key) => onChange((key as T | null) ?? undefined)}
      isDisabled={isDisabled ?? false}
      isRequired={isRequired ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      menuTrigger="focus"
      allowsEmptyCollection
      className={styles.field ?? ''}
    >
      <FieldLabel required={isRequired}>{label}</FieldLabel>
      <Group className={cx(styles.box, error && styles.wrong)}>
        <Input className={styles.input ?? ''} placeholder={t('ui:choose')} />
        <Button className={own.open ?? ''}>
          <ChevronDown aria-hidden size={16} />
        </Button>
      </Group>
      <FieldFoot error={error} hint={hint} />
      <Popover className={cx(menu.popover, own.popover)}>
        <ListBox<Option<T>>
          className={menu.menu ?? ''}
          renderEmptyState={() => <p className={own.none}>{t('ui:no_match')}</p>}
        >
          {(o) => (
            <ListBoxItem id={o.id} textValue={o.label} className={menu.item ?? ''}>
              {({ isSelected }) => (
                <>
                  <span className={own.words}>
                    {o.label}
                    {o.detail ? <span className={own.detail}>{o.detail}</span> : null}
                  </span>
                  {isSelected ? <Check aria-hidden size={16} /> : null}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaComboBox>
  );
}
