/** Where pages stand below each other, in CSS pixels. Pages that were not looked at yet are taken for as large as the first. */

export interface Size {
  width: number;
  height: number;
}

export const GAP = 12;
export const SIDE = 12;
export const LEAST = 0.1;
export const MOST = 6;

/** `auto`: as wide as there is room for, yet no larger than one reads well. */
export type Fit = 'auto' | 'width' | 'page' | number;

export interface Layout {
  scale: number;
  /** Of all pages together, with what is around them. */
  width: number;
  height: number;
  tops: readonly number[];
  sizes: readonly Size[];
}

/** A place in the file that stays where it is when pages grow or shrink. */
export interface Anchor {
  page: number;
  /** Part of the page, from its upper left corner. */
  x: number;
  y: number;
}

export const within = (scale: number) => Math.min(MOST, Math.max(LEAST, scale));

const COMFORT = 1.25;

export function scaleOf(fit: Fit, page: Size, room: Size): number {
  if (typeof fit === 'number') return within(fit);
  const wide = (room.width - 2 * SIDE) / page.width;
  const high = (room.height - 2 * GAP) / page.height;
  if (fit === 'page') return within(Math.min(wide, high));
  return within(fit === 'auto' ? Math.min(wide, COMFORT) : wide);
}

export function layoutOf(pages: readonly Size[], scale: number, room: Size): Layout {
  const tops: number[] = [];
  const sizes: Size[] = [];
  let y = GAP;
  let widest = 0;
  for (const page of pages) {
    const size = { width: Math.round(page.width * scale), height: Math.round(page.height * scale) };
    tops.push(y);
    sizes.push(size);
    y += size.height + GAP;
    widest = Math.max(widest, size.width);
  }
  return { scale, tops, sizes, height: y, width: Math.max(room.width, widest + 2 * SIDE) };
}

/** The page at a height, the nearest one between pages. */
export function pageAt({ tops }: Layout, y: number): number {
  let from = 0;
  let to = tops.length - 1;
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if ((tops[middle] ?? 0) <= y) from = middle;
    else to = middle - 1;
  }
  return Math.max(0, from);
}

/** Pages any part of which is between two heights. */
export function pagesIn(layout: Layout, top: number, bottom: number): { from: number; to: number } {
  return { from: pageAt(layout, top), to: pageAt(layout, bottom) };
}

export function anchorAt(layout: Layout, x: number, y: number): Anchor {
  const page = pageAt(layout, y);
  const { width = 1, height = 1 } = layout.sizes[page] ?? {};
  const left = (layout.width - width) / 2;
  return { page, x: (x - left) / width, y: (y - (layout.tops[page] ?? 0)) / height };
}

export function placeOf(layout: Layout, { page, x, y }: Anchor): { x: number; y: number } {
  const { width = 1, height = 1 } = layout.sizes[page] ?? {};
  return { x: (layout.width - width) / 2 + x * width, y: (layout.tops[page] ?? 0) + y * height };
}
