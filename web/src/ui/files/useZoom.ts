/** Two fingers, a wheel or a double tap make a picture larger; one finger moves it, or turns the page when it is whole. */
import { type MouseEvent, type PointerEvent, useEffect, useRef, useState } from 'react';

const MOST = 8;
const TAP = 2.5;
const SWIPE_PX = 60;
const PULL_PX = 120;
const DOUBLE_MS = 300;

export interface View {
  scale: number;
  x: number;
  y: number;
}

const WHOLE: View = { scale: 1, x: 0, y: 0 };

/** Larger or smaller around a point, given from the middle of the stage; never smaller than whole. */
export function around(view: View, by: number, px: number, py: number): View {
  const scale = Math.min(MOST, Math.max(1, view.scale * by));
  if (scale === 1) return WHOLE;
  const k = scale / view.scale;
  return { scale, x: px - (px - view.x) * k, y: py - (py - view.y) * k };
}

/** A picture that is larger than its stage is never pulled out of it. */
export function within({ scale, x, y }: View, width: number, height: number): View {
  const mx = ((scale - 1) * width) / 2;
  const my = ((scale - 1) * height) / 2;
  return { scale, x: Math.min(mx, Math.max(-mx, x)), y: Math.min(my, Math.max(-my, y)) };
}

export function useZoom({
  key,
  onSwipe,
  onPull,
}: {
  /** Another picture begins whole. */
  key: string;
  onSwipe: (by: number) => void;
  onPull: () => void;
}) {
  const stage = useRef<HTMLDivElement>(null);
  const [view, setView] = useState(WHOLE);
  const [drag, setDrag] = useState<{ x: number; y: number }>();
  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const start = useRef<{ x: number; y: number; pinched: boolean }>(undefined);
  const tapped = useRef({ at: 0, x: 0, y: 0 });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the picture decides
  useEffect(() => setView(WHOLE), [key]);

  const middle = (x: number, y: number) => {
    const box = stage.current?.getBoundingClientRect();
    return box ? { x: x - box.left - box.width / 2, y: y - box.top - box.height / 2 } : { x: 0, y: 0 };
  };
  const change = (next: (v: View) => View) => {
    const box = stage.current;
    setView((v) => within(next(v), box?.clientWidth ?? 0, box?.clientHeight ?? 0));
  };
  const toggle = (x: number, y: number) => {
    const at = middle(x, y);
    change((v) => (v.scale > 1 ? WHOLE : around(v, TAP, at.x, at.y)));
  };

  useEffect(() => {
    const el = stage.current;
    // React's own wheel listeners cannot keep the page from moving.
    const wheel = (e: WheelEvent) => {
      e.preventDefault();
      const box = el?.getBoundingClientRect();
      if (!el || !box) return;
      const px = e.clientX - box.left - box.width / 2;
      const py = e.clientY - box.top - box.height / 2;
      const by = Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.002));
      setView((v) => within(around(v, by, px, py), el.clientWidth, el.clientHeight));
    };
    el?.addEventListener('wheel', wheel, { passive: false });
    return () => el?.removeEventListener('wheel', wheel);
  }, []);

  const onPointerDown = (e: PointerEvent) => {
    if (e.pointerType === 'mouse' && e.button !== 0) return;
    e.currentTarget.setPointerCapture(e.pointerId);
    fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY });
    if (fingers.current.size === 1) start.current = { x: e.clientX, y: e.clientY, pinched: false };
    else if (start.current) start.current.pinched = true;
  };
  const onPointerMove = (e: PointerEvent) => {
    const before = fingers.current.get(e.pointerId);
    if (!before) return;
    const now = { x: e.clientX, y: e.clientY };
    const other = [...fingers.current].find(([id]) => id !== e.pointerId)?.[1];
    fingers.current.set(e.pointerId, now);
    if (other) {
      const was = Math.hypot(before.x - other.x, before.y - other.y);
      const is = Math.hypot(now.x - other.x, now.y - other.y);
      const at = middle((now.x + other.x) / 2, (now.y + other.y) / 2);
      if (was > 0) change((v) => around(v, is / was, at.x, at.y));
    } else if (view.scale > 1) {
      change((v) => ({ ...v, x: v.x + now.x - before.x, y: v.y + now.y - before.y }));
    } else if (start.current && !start.current.pinched) {
      setDrag({ x: now.x - start.current.x, y: Math.max(0, now.y - start.current.y) });
    }
  };
  const onPointerEnd = (e: PointerEvent) => {
    if (!fingers.current.delete(e.pointerId) || fingers.current.size > 0) return;
    const from = start.current;
    start.current = undefined;
    setDrag(undefined);
    if (!from || from.pinched || e.type === 'pointercancel') return;
    const dx = e.clientX - from.x;
    const dy = e.clientY - from.y;
    if (Math.hypot(dx, dy) < 10) return tap(e);
    if (view.scale > 1) return;
    if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > Math.abs(dy)) onSwipe(dx < 0 ? 1 : -1);
    else if (dy > PULL_PX) onPull();
  };
  const tap = (e: PointerEvent) => {
    if (e.pointerType === 'mouse') return;
    const { at, x, y } = tapped.current;
    const twice = e.timeStamp - at < DOUBLE_MS && Math.hypot(e.clientX - x, e.clientY - y) < 30;
    tapped.current = { at: twice ? 0 : e.timeStamp, x: e.clientX, y: e.clientY };
    if (twice) toggle(e.clientX, e.clientY);
  };
  // A finger's double tap is told by `tap`; browsers do not all make a double click of it.
  const onDoubleClick = (e: MouseEvent) => {
    if ((e.nativeEvent as unknown as { pointerType?: string }).pointerType !== 'touch') toggle(e.clientX, e.clientY);
  };

  const x = view.scale > 1 ? view.x : (drag?.x ?? 0);
  const y = view.scale > 1 ? view.y : (drag?.y ?? 0);
  return {
    stage,
    by: (factor: number) => change((v) => around(v, factor, 0, 0)),
    reset: () => setView(WHOLE),
    style: {
      transform: `translate(${x}px, ${y}px) scale(${view.scale})`,
      transition: drag || fingers.current.size > 0 ? 'none' : '',
    },
    handlers: { onPointerDown, onPointerMove, onPointerUp: onPointerEnd, onPointerCancel: onPointerEnd, onDoubleClick },
  };
}
