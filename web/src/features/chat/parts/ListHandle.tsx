import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { useStore } from 'zustand';
import { settings } from '~/core/settings';
import { useT } from '~/i18n';
import { isComposing } from '~/ui/isComposing';
import styles from './ListHandle.module.css';

const MIN = 220;
const MAX = 400;
const STEP = 20;

const set = (width: number) => settings.setState({ listWidth: Math.round(Math.min(MAX, Math.max(MIN, width))) });

/** The edge of the list, to drag or to move with the arrow keys. */
export function ListHandle() {
  const t = useT();
  const width = useStore(settings, (s) => s.listWidth);
  const from = useRef<{ x: number; width: number }>(undefined);
  const onPointerDown = (e: PointerEvent<HTMLDivElement>) => {
    e.currentTarget.setPointerCapture(e.pointerId);
    from.current = { x: e.clientX, width };
  };
  const onPointerMove = (e: PointerEvent) => {
    const start = from.current;
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    if (start) set(start.width + (e.clientX - start.x) / rem);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (isComposing(e)) return;
    if (e.key === 'ArrowLeft') set(width - STEP);
    if (e.key === 'ArrowRight') set(width + STEP);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is no <hr>
    <div
      className={styles.handle}
      role="separator"
      aria-orientation="vertical"
      aria-label={t('chat:list.resize')}
      aria-valuenow={width}
      aria-valuemin={MIN}
      aria-valuemax={MAX}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        from.current = undefined;
      }}
      onKeyDown={onKeyDown}
    />
  );
}
