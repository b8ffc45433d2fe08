import type { ReactElement, ReactNode } from 'react';
import { MenuItem as AriaItem, Menu as AriaMenu, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { cx } from './cx';
import styles from './Menu.module.css';

export interface MenuAction {
  id: string;
  label: string;
  icon?: ReactNode;
  danger?: boolean;
  run: () => void;
}

/** A button, and the actions it opens. */
export function Menu({
  label,
  actions,
  children,
  open,
  onOpenChange,
}: {
  label: string;
  actions: MenuAction[];
  children: ReactElement;
  /** Opened from elsewhere; with `onOpenChange`. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}) {
  return (
    <MenuTrigger {...(open === undefined ? {} : { isOpen: open })} {...(onOpenChange ? { onOpenChange } : {})}>
      {children}
      <Popover className={styles.popover ?? ''} placement="bottom end">
        {/* One that is opened from elsewhere is not told that it was by a key. */}
        <AriaMenu aria-label={label} autoFocus="first" className={styles.menu ?? ''}>
          {actions.map((a) => (
            <AriaItem
              key={a.id}
              id={a.id}
              textValue={a.label}
              className={cx(styles.item, a.danger && styles.danger)}
              onAction={a.run}
            >
              {a.icon}
              {a.label}
            </AriaItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
