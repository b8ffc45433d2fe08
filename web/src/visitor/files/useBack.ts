import { useEffect, useRef } from 'react';

const isOver = (state: unknown): boolean => (state as { over?: boolean } | null)?.over === true;

/** The back key closes what is open instead of the page: one entry of the history is its own. */
export function useBack(onClose: () => void): () => void {
  const closing = useRef(onClose);
  closing.current = onClose;
  const mine = useRef(false);
  const going = useRef(false);
  useEffect(() => {
    // After a reload the entry is there already.
    if (!isOver(history.state)) history.pushState({ over: true }, '');
    mine.current = true;
    const back = () => {
      if (!mine.current || isOver(history.state)) return;
      mine.current = false;
      closing.current();
    };
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  return () => {
    if (!mine.current) return closing.current();
    // A second press before the first was heard would go back out of the page.
    if (going.current) return;
    going.current = true;
    history.back();
  };
}
