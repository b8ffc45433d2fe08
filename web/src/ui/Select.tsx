import { Check, ChevronDown } from 'lucide-react';
import { Button } from 'react-aria-components/Button';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { Select as AriaSelect, SelectValue } from 'react-aria-components/Select';
import menu from './Menu.module.css';
import styles from './Select.module.css';

/** One of several that need not all be in sight. */
export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
  isDisabled,
}: {
  label: string;
  value: T;
  options: readonly { id: T; label: string }[];
  onChange: (value: T) => void;
  isDisabled?: boolean;
}) {
  return (
    <AriaSelect
      aria-label={label}
      value={value}
      onChange={(key) => onChange(key as T)}
      isDisabled={isDisabled ?? false}
      className={styles.select ?? ''}
    >
      <Button className={styles.button ?? ''}>
        <SelectValue />
        <ChevronDown aria-hidden size={16} />
      </Button>
      <Popover className={menu.popover ?? ''}>
        <ListBox className={menu.menu ?? ''}>
          {options.map((o) => (
            <ListBoxItem key={o.id} id={o.id} textValue={o.label} className={menu.item ?? ''}>
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
