import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

/** The back key closes instead of leaving: one entry of the history belongs to what is open. */
export function useBack(onClose: () => void): () => void {
  const { history } = useRouter();
  const closing = useRef(onClose);
  closing.current = onClose;
  const mine = useRef(false);
  useEffect(() => {
    history.push(history.location.href, { ...history.location.state, viewer: true } as typeof history.location.state);
    mine.current = true;
    return history.subscribe(() => {
      if (!mine.current || (history.location.state as { viewer?: boolean }).viewer) return;
      mine.current = false;
      closing.current();
    });
  }, [history]);
  return () => (mine.current ? history.back() : closing.current());
}
