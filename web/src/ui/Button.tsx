import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps as AriaProps } from 'react-aria-components/Button';
import { Tooltip, TooltipTrigger } from 'react-aria-components/Tooltip';
import styles from './Button.module.css';
import { cx } from './cx';

export interface ButtonProps extends Omit<AriaProps, 'className' | 'style' | 'children'> {
  kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  wide?: boolean;
  children: ReactNode;
}

/** While `isPending` it keeps the focus and its words; a second press does nothing because the form is busy. */
export function Button({ kind = 'plain', wide, isPending, ...props }: ButtonProps) {
  return (
    <AriaButton
      {...props}
      className={cx(styles.button, styles[kind], wide && styles.wide, isPending && styles.pending)}
    />
  );
}

export interface IconButtonProps extends Omit<AriaProps, 'className' | 'style' | 'children'> {
  label: string;
  /** Shown beside the label in the tooltip. */
  keys?: string;
  active?: boolean;
  small?: boolean;
  children: ReactNode;
}

/** A button that shows only an icon: its words are the tooltip and the accessible name. */
export function IconButton({ label, keys, active, small, children, ...props }: IconButtonProps) {
  return (
    <TooltipTrigger delay={500} closeDelay={80}>
      <AriaButton
        {...props}
        aria-label={label}
        className={cx(styles.icon, small && styles.small, active && styles.active)}
      >
        {children}
      </AriaButton>
      <Tooltip className={styles.tooltip ?? ''} offset={6}>
        {label}
        {keys ? <kbd className={styles.keys}>{keys}</kbd> : null}
      </Tooltip>
    </TooltipTrigger>
  );
}
