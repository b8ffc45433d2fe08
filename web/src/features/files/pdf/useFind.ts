/** The search inside a file: the words, and the match that is looked at. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { PDFDocumentProxy } from '~/ui/pdf/engine';
import { type Found, type Item, matchesIn, seek } from '~/ui/pdf/find';
import type { PagesHandle } from '~/ui/pdf/usePages';

/** Texts of so many pages are kept, so that going to and fro reads nothing twice. */
const KEPT = 200;

export interface FindHandle {
  shown: boolean;
  /** Grows each time it is asked for, also while it is shown. */
  asked: number;
  words: string;
  found: Found | undefined;
  /** The page that is being read, from 0, and of how many. */
  reading: { page: number; of: number } | undefined;
  none: boolean;
  open(): void;
  close(): void;
  setWords(words: string): void;
  go(step: 1 | -1): void;
}

export function useFind(document: PDFDocumentProxy, pages: PagesHandle): FindHandle {
  const [shown, setShown] = useState(false);
  const [asked, setAsked] = useState(0);
  const [words, putWords] = useState('');
  const [found, setFound] = useState<Found>();
  const [reading, setReading] = useState<{ page: number; of: number }>();
  const [none, setNone] = useState(false);
  const texts = useRef(new Map<number, readonly Item[]>());
  const run = useRef(0);
  const { current, goTo } = pages;

  const textOf = useCallback(
    async (number: number): Promise<readonly Item[]> => {
      const known = texts.current.get(number);
      if (known) return known;
      const page = await document.getPage(number + 1);
      const { items } = (await page.getTextContent()) as { items: Item[] };
      const text = items.map(({ str, hasEOL }) => ({
        ...(str === undefined ? {} : { str }),
        ...(hasEOL ? { hasEOL } : {}),
      }));
      texts.current.set(number, text);
      const [oldest] = texts.current.keys();
      if (texts.current.size > KEPT && oldest !== undefined) texts.current.delete(oldest);
      return text;
    },
    [document],
  );
  const stop = useCallback(() => {
    run.current += 1;
    setReading(undefined);
  }, []);
  useEffect(() => stop, [stop]);

  const setWords = (next: string) => {
    stop();
    putWords(next);
    setFound(undefined);
    setNone(false);
  };
  const go = async (step: 1 | -1) => {
    if (words.trim() === '') return;
    run.current += 1;
    const mine = run.current;
    const stopped = () => run.current !== mine;
    const of = document.numPages;
    const read = async (page: number) => matchesIn(await textOf(page).catch(() => []), words);
    setNone(false);
    const start = found ?? { page: current, index: step > 0 ? -1 : Number.MAX_SAFE_INTEGER };
    const next = await seek(of, read, start, step, { at: (page) => !stopped() && setReading({ page, of }), stopped });
    if (stopped()) return;
    setReading(undefined);
    setNone(!next);
    setFound(next);
    if (next && next.page !== current) goTo(next.page);
  };
  const open = () => {
    setShown(true);
    setAsked((was) => was + 1);
  };
  const close = () => {
    stop();
    setShown(false);
    setFound(undefined);
    setNone(false);
  };
  return {
    shown,
    asked,
    words,
    found,
    reading,
    none,
    open,
    close,
    setWords,
    go: (step) => void go(step),
  };
}
