import { type PointerEvent, useRef } from 'react';

const LONG_PRESS_MS = 450;
const MOVED_PX = 10;

/** The finger that held something down also ends in a click, by then on whatever has opened under it: that one is lost. */
function swallowClick(): void {
  const end = () => {
    window.removeEventListener('click', swallow, true);
    window.removeEventListener('pointerdown', end, true);
  };
  const swallow = (e: MouseEvent) => {
    e.preventDefault();
    e.stopPropagation();
    end();
  };
  window.addEventListener('click', swallow, true);
  window.addEventListener('pointerdown', end, true);
}

/** A long press of a finger runs `run`; moving means scrolling. */
export function useLongPress(run: (target: EventTarget) => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const from = useRef({ x: 0, y: 0 });
  const stop = () => clearTimeout(timer.current);
  return {
    onPointerDown(e: PointerEvent) {
      if (e.pointerType !== 'touch') return;
      from.current = { x: e.clientX, y: e.clientY };
      stop();
      const { target } = e;
      timer.current = setTimeout(() => {
        swallowClick();
        run(target);
      }, LONG_PRESS_MS);
    },
    onPointerMove(e: PointerEvent) {
      if (Math.hypot(e.clientX - from.current.x, e.clientY - from.current.y) > MOVED_PX) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
  };
}
