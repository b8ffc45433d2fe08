import { useEffect, useState } from 'react';
import type { PDFDocumentProxy } from './engine';
import type { Found } from './find';
import { type PageWords, PdfPage } from './PdfPage';
import styles from './pdf.module.css';
import type { PagesHandle } from './usePages';

/** While a hand still makes larger and smaller, pages are stretched; they are drawn anew when it rests. */
const REST_MS = 180;

/** The pages that are near; of the others only the room is kept. */
export function Pages({
  document,
  pages,
  found,
  words,
}: {
  document: PDFDocumentProxy;
  pages: PagesHandle;
  found?: Found | undefined;
  words: PageWords;
}) {
  const { layout, near, scroller } = pages;
  const drawn = useSettled(layout?.scale);
  useEffect(() => scroller.current?.focus({ preventScroll: true }), [scroller]);
  const numbers = layout ? Array.from({ length: near.to - near.from + 1 }, (_, i) => near.from + i) : [];
  return (
    <section
      ref={scroller}
      className={styles.scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
      tabIndex={0}
      aria-label={words.pages}
      onScroll={pages.onScroll}
      data-testid="pages"
    >
      {layout ? (
        <div className={styles.sheet} style={{ width: layout.width, height: layout.height }}>
          {numbers.map((number) => {
            const size = layout.sizes[number] ?? { width: 0, height: 0 };
            return (
              <PdfPage
                key={number}
                document={document}
                number={number}
                left={(layout.width - size.width) / 2}
                top={layout.tops[number] ?? 0}
                size={size}
                scale={layout.scale}
                drawn={drawn ?? layout.scale}
                found={found?.page === number ? found : undefined}
                pages={pages}
                words={words}
              />
            );
          })}
        </div>
      ) : null}
    </section>
  );
}

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (settled === undefined) return setSettled(value);
    const timer = setTimeout(() => setSettled(value), REST_MS);
    return () => clearTimeout(timer);
  }, [value, settled]);
  return settled;
}
