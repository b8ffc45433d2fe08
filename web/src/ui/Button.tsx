import { lazy, type ReactNode, Suspense, useRef, useState } from 'react';
import { Button as AriaButton, type ButtonProps as AriaProps } from 'react-aria-components/Button';
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

// Floating things know how to find their place; nobody needs that before the pointer rests somewhere.
const Tip = lazy(() => import('./Tip').then((m) => ({ default: m.Tip })));

/** A button that shows only an icon: its words are the tooltip and the accessible name. */
export function IconButton({ label, keys, active, small, children, ...props }: IconButtonProps) {
  const ref = useRef<HTMLButtonElement>(null);
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  const { onHoverChange, onPressStart } = props;
  return (
    <>
      <AriaButton
        {...props}
        ref={ref}
        aria-label={label}
        onHoverChange={(on) => {
          setHovered(on);
          onHoverChange?.(on);
        }}
        onPressStart={(e) => {
          setHovered(false);
          setFocused(false);
          onPressStart?.(e);
        }}
        onFocus={(e) => setFocused(e.currentTarget.matches(':focus-visible'))}
        onBlur={() => setFocused(false)}
        className={cx(styles.icon, small && styles.small, active && styles.active)}
      >
        {children}
      </AriaButton>
      {hovered || focused ? (
        <Suspense>
          <Tip anchor={ref} at={hovered ? 'rest' : 'once'} label={label} {...(keys ? { keys } : {})} />
        </Suspense>
      ) : null}
    </>
  );
}
