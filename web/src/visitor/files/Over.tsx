import { type ReactNode, useEffect, useEffectEvent, useRef } from 'react';
import { createPortal } from 'react-dom';
import { cx } from '~/ui/cx';
import over from '~/ui/files/Over.module.css';
import { useBack } from './useBack';

const REACHED = 'a[href], button:not([disabled]), input, video, audio, [tabindex="0"]';

/** Over everything else, with the focus kept in it. Closed by Escape and by the back key. */
export function Over({
  label,
  dark,
  onClose,
  onKeyDown,
  children,
}: {
  label: string;
  dark?: boolean;
  onClose: () => void;
  onKeyDown?: (e: KeyboardEvent) => void;
  children: (close: () => void) => ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const close = useBack(onClose);
  useEffect(() => {
    const before = document.activeElement;
    const page = document.getElementById('root');
    page?.setAttribute('aria-hidden', 'true');
    page?.setAttribute('inert', '');
    box.current?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => {
      page?.removeAttribute('aria-hidden');
      page?.removeAttribute('inert');
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  const keys = useEffectEvent((e: KeyboardEvent) => {
    if (e.isComposing) return;
    if (e.key === 'Escape') return close();
    if (e.key !== 'Tab') return onKeyDown?.(e);
    const all = [...(box.current?.querySelectorAll<HTMLElement>(REACHED) ?? [])];
    const end = e.shiftKey ? all[0] : all[all.length - 1];
    if (document.activeElement !== end && box.current?.contains(document.activeElement)) return;
    e.preventDefault();
    (e.shiftKey ? all[all.length - 1] : all[0])?.focus();
  });
  // From the whole page: a press on what takes no focus, or a key that goes away, leaves the focus in nothing.
  useEffect(() => {
    const listen = (e: KeyboardEvent) => keys(e);
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
  return createPortal(
    <div ref={box} role="dialog" aria-modal="true" aria-label={label} className={cx(over.overlay, dark && over.dark)}>
      {children(close)}
    </div>,
    document.body,
  );
}
