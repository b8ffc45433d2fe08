import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anchorAt, GAP, layoutOf, pageAt, pagesIn, placeOf, scaleOf } from './layout';

const A4 = { width: 794, height: 1123 };
const ROOM = { width: 390, height: 700 };

it('fits a page to the width or the whole, and makes no small page huge by itself', () => {
  expect(scaleOf('width', A4, ROOM) * A4.width).toBeCloseTo(366);
  expect(scaleOf('page', A4, { width: 2000, height: 700 }) * A4.height).toBeCloseTo(676);
  expect(scaleOf('auto', { width: 100, height: 100 }, { width: 2000, height: 900 })).toBe(1.25);
  expect(scaleOf('auto', A4, ROOM)).toBe(scaleOf('width', A4, ROOM));
  expect(scaleOf(99, A4, ROOM)).toBe(6);
});

it('finds the page at any height', () => {
  const layout = layoutOf([A4, A4, A4], 1, ROOM);
  expect(pageAt(layout, -50)).toBe(0);
  expect(pageAt(layout, GAP + A4.height + 1)).toBe(0);
  expect(pageAt(layout, layout.tops[1] ?? 0)).toBe(1);
  expect(pageAt(layout, 1e9)).toBe(2);
  expect(pagesIn(layout, 0, (layout.tops[2] ?? 0) - 1)).toEqual({ from: 0, to: 1 });
});

it('keeps a place when the scale or the size of other pages changes', () => {
  const sizes = fc.array(
    fc.record({ width: fc.integer({ min: 50, max: 3000 }), height: fc.integer({ min: 50, max: 3000 }) }),
    {
      minLength: 1,
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), (pages, part) => {
      const before = layoutOf(pages, 1, ROOM);
      const y = before.height * part;
      const anchor = anchorAt(before, 20, y);
      const back = placeOf(before, anchor);
      expect(back.x).toBeCloseTo(20, 3);
      expect(back.y).toBeCloseTo(y, 3);
      const after = layoutOf(pages, 2.5, ROOM);
      const again = anchorAt(after, placeOf(after, anchor).x, placeOf(after, anchor).y);
      if (anchor.y <= 1) expect(again.page).toBe(anchor.page);
    }),
  );
});
