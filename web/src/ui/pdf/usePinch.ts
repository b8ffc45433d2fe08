import { type RefObject, useEffect } from 'react';

/** Two fingers, or a wheel with Ctrl as touchpads send it, make larger and smaller around where they are. */
export function usePinch(
  scroller: RefObject<HTMLElement | null>,
  zoomBy: (factor: number, at: { x: number; y: number }) => void,
): void {
  useEffect(() => {
    const el = scroller.current;
    if (!el) return;
    let apart = 0;
    let frame = 0;
    const inside = (x: number, y: number) => {
      const box = el.getBoundingClientRect();
      return { x: x - box.left, y: y - box.top };
    };
    const measure = (e: TouchEvent) => {
      const [a, b] = [e.touches[0], e.touches[1]];
      if (!a || !b) return undefined;
      const at = inside((a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
      return { apart: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), at };
    };
    const start = (e: TouchEvent) => {
      apart = e.touches.length === 2 ? (measure(e)?.apart ?? 0) : 0;
    };
    const move = (e: TouchEvent) => {
      const now = e.touches.length === 2 && apart > 0 ? measure(e) : undefined;
      if (!now) return;
      e.preventDefault();
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        if (apart > 0 && now.apart > 0) zoomBy(now.apart / apart, now.at);
        apart = now.apart;
      });
    };
    const wheel = (e: WheelEvent) => {
      if (!e.ctrlKey && !e.metaKey) return;
      e.preventDefault();
      zoomBy(Math.exp(-Math.max(-50, Math.min(50, e.deltaY)) * 0.01), inside(e.clientX, e.clientY));
    };
    el.addEventListener('touchstart', start, { passive: true });
    // React's own listeners cannot keep the browser from making the page larger.
    el.addEventListener('touchmove', move, { passive: false });
    el.addEventListener('wheel', wheel, { passive: false });
    return () => {
      cancelAnimationFrame(frame);
      el.removeEventListener('touchstart', start);
      el.removeEventListener('touchmove', move);
      el.removeEventListener('wheel', wheel);
    };
  }, [scroller, zoomBy]);
}
