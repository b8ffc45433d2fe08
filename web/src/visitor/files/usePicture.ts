import { useEffect, useState } from 'react';
import { talk } from '../talk';
import { isGone, picture, type Side } from './pictures';

export interface Seen {
  url: string | undefined;
  /** It will not be seen any more, or not just now. */
  fault: 'gone' | 'failed' | undefined;
  again: () => void;
}

/** A picture, once it is wanted; one that failed comes by itself when the connection does. */
export function usePicture(file: string, side: Side, wanted: boolean): Seen {
  const [seen, setSeen] = useState<{ url?: string; fault?: 'gone' | 'failed' }>({});
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try asks anew
  useEffect(() => {
    if (!wanted) return;
    let left = false;
    picture(file, side).then(
      (url) => (left ? undefined : setSeen({ url })),
      (error) => (left ? undefined : setSeen({ fault: isGone(error) ? 'gone' : 'failed' })),
    );
    return () => {
      left = true;
    };
  }, [file, side, wanted, tries]);
  const failed = seen.fault === 'failed';
  useEffect(() => {
    if (!failed) return;
    return talk.subscribe((now, was) => {
      if (now.connection === 'live' && was.connection !== 'live') setTries((n) => n + 1);
    });
  }, [failed]);
  const again = () => {
    setSeen({});
    setTries((n) => n + 1);
  };
  return { url: seen.url, fault: seen.fault, again };
}
