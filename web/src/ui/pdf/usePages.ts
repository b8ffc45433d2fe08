/** Which pages stand where, which of them are near, and how one moves among them. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { PDFDocumentProxy } from './engine';
import { POINT } from './engine';
import {
  type Anchor,
  anchorAt,
  type Fit,
  GAP,
  type Layout,
  layoutOf,
  pageAt,
  pagesIn,
  placeOf,
  type Size,
  scaleOf,
  within,
} from './layout';
import { usePinch } from './usePinch';

/** Pages drawn at a time, at most: where they are tiny, more of them are in sight than can be drawn. */
const MOST_DRAWN = 24;

export interface PagesHandle {
  scroller: RefObject<HTMLElement | null>;
  count: number;
  layout: Layout | undefined;
  fit: Fit;
  /** From 0. */
  current: number;
  /** Pages that are drawn. */
  near: { from: number; to: number };
  sized(page: number, size: Size): void;
  goTo(page: number, y?: number): void;
  step(by: number): void;
  zoomBy(factor: number, at?: { x: number; y: number }): void;
  setFit(fit: Fit): void;
  onScroll(): void;
}

export function usePages(document: PDFDocumentProxy): PagesHandle {
  const count = document.numPages;
  const scroller = useRef<HTMLElement>(null);
  const [sizes, setSizes] = useState<readonly Size[]>();
  const [room, setRoom] = useState<Size>();
  const [fit, putFit] = useState<Fit>('auto');
  const [place, setPlace] = useState({ from: 0, to: 0, current: 0 });

  useEffect(() => {
    let left = false;
    void document
      .getPage(1)
      .then((page) => {
        const { width, height } = page.getViewport({ scale: POINT });
        if (!left) setSizes(new Array<Size>(count).fill({ width, height }));
      })
      // A first page that cannot be read: of the size of a letter, and the others may do.
      .catch(() => (left ? undefined : setSizes(new Array<Size>(count).fill({ width: 794, height: 1123 }))));
    return () => {
      left = true;
    };
  }, [document, count]);

  useLayoutEffect(() => {
    const el = scroller.current;
    if (!el) return;
    const measure = () => setRoom({ width: el.clientWidth, height: el.clientHeight });
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    measure();
    return () => watch.disconnect();
  }, []);

  const layout = useMemo(() => {
    const [first] = sizes ?? [];
    if (!sizes || !first || !room || room.width === 0) return undefined;
    return layoutOf(sizes, scaleOf(fit, first, room), room);
  }, [sizes, room, fit]);

  const now = useRef(layout);
  now.current = layout;
  // A point of the view and the place of the file that stays under it.
  const hold = useRef<{ anchor: Anchor; x: number; y: number }>(undefined);

  const look = useCallback(() => {
    const el = scroller.current;
    const { current: at } = now;
    if (!el || !at) return;
    const { scrollTop: top, clientHeight: high } = el;
    const { from, to } = pagesIn(at, top - high * 0.75, top + high * 1.75);
    const current = pageAt(at, Math.min(top + high * 0.4, at.height - GAP * 2));
    const next = { from, to: Math.min(to, from + MOST_DRAWN), current };
    setPlace((was) => (was.from === next.from && was.to === next.to && was.current === current ? was : next));
  }, []);

  const keep = useCallback((x?: number, y?: number) => {
    const el = scroller.current;
    if (!el || !now.current) return;
    const px = x ?? el.clientWidth / 2;
    const py = y ?? Math.min(el.scrollTop, el.clientHeight * 0.3);
    hold.current = { anchor: anchorAt(now.current, el.scrollLeft + px, el.scrollTop + py), x: px, y: py };
  }, []);

  useLayoutEffect(() => {
    const el = scroller.current;
    if (!el || !layout) return;
    if (hold.current) {
      const { anchor, x, y } = hold.current;
      const place = placeOf(layout, anchor);
      el.scrollTop = place.y - y;
      el.scrollLeft = place.x - x;
    }
    look();
  }, [layout, look]);

  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  const onScroll = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      keep();
      look();
    });
  }, [keep, look]);

  const setFit = useCallback(
    (next: Fit) => {
      keep();
      putFit(next);
    },
    [keep],
  );
  const zoomBy = useCallback(
    (factor: number, at?: { x: number; y: number }) => {
      keep(at?.x, at?.y);
      const scale = now.current?.scale ?? 1;
      putFit(within(scale * factor));
    },
    [keep],
  );
  const goTo = useCallback(
    (page: number, y = 0) => {
      const el = scroller.current;
      const { current: at } = now;
      if (!el || !at) return;
      const to = Math.min(count - 1, Math.max(0, page));
      el.scrollTop = (at.tops[to] ?? 0) + y * (at.sizes[to]?.height ?? 0) - (y > 0 ? el.clientHeight * 0.3 : GAP);
      keep();
      look();
    },
    [count, keep, look],
  );
  const { current } = place;
  const step = useCallback((by: number) => goTo(current + by), [goTo, current]);
  const sized = useCallback((page: number, size: Size) => {
    setSizes((was) => {
      const old = was?.[page];
      if (!was || !old || (Math.abs(old.width - size.width) < 0.5 && Math.abs(old.height - size.height) < 0.5))
        return was;
      const next = [...was];
      next[page] = size;
      return next;
    });
  }, []);
  usePinch(scroller, zoomBy);
  return { scroller, count, layout, fit, current, near: place, sized, goTo, step, zoomBy, setFit, onScroll };
}
