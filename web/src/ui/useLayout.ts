import { useSyncExternalStore } from 'react';
import { settings } from '~/core/settings';

export type Layout = 'phone' | 'medium' | 'wide';

const BASE_FONT = 14;

/** Large type on a small laptop needs the phone's one column: what counts is the width measured in the person's own text size. */
function layout(): Layout {
  const width = window.innerWidth / Math.max(1, settings.getState().fontSize / BASE_FONT);
  return width < 760 ? 'phone' : width < 1100 ? 'medium' : 'wide';
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('resize', changed);
  const unsubscribe = settings.subscribe(changed);
  return () => {
    window.removeEventListener('resize', changed);
    unsubscribe();
  };
}

export function useLayout(): Layout {
  return useSyncExternalStore(subscribe, layout);
}
