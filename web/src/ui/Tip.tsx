import { type RefObject, useEffect, useMemo, useState } from 'react';
import { Tooltip, TooltipTriggerStateContext } from 'react-aria-components/Tooltip';
import styles from './Button.module.css';

const REST_MS = 500;

/** The words of an icon: after the pointer rested on it, or as soon as the keyboard reached it. */
export function Tip({
  anchor,
  at,
  label,
  keys,
}: {
  anchor: RefObject<HTMLElement | null>;
  at: 'rest' | 'once';
  label: string;
  keys?: string;
}) {
  const [open, setOpen] = useState(at === 'once');
  useEffect(() => {
    const timer = setTimeout(() => setOpen(true), REST_MS);
    return () => clearTimeout(timer);
  }, []);
  // A tooltip reads its state from the trigger around it, and fails without one; here the icon is not inside of any.
  const state = useMemo(
    () => ({ isOpen: open, shouldSkipAnimation: false, open: () => setOpen(true), close: () => setOpen(false) }),
    [open],
  );
  return (
    <TooltipTriggerStateContext.Provider value={state}>
      <Tooltip triggerRef={anchor} className={styles.tooltip ?? ''} offset={6}>
        {label}
        {keys ? <kbd className={styles.keys}>{keys}</kbd> : null}
      </Tooltip>
    </TooltipTriggerStateContext.Provider>
  );
}
