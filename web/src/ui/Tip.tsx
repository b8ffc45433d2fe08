import { type RefObject, useEffect, useState } from 'react';
import { Tooltip } from 'react-aria-components/Tooltip';
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
  return (
    <Tooltip triggerRef={anchor} isOpen={open} onOpenChange={setOpen} className={styles.tooltip ?? ''} offset={6}>
      {label}
      {keys ? <kbd className={styles.keys}>{keys}</kbd> : null}
    </Tooltip>
  );
}
