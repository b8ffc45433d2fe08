/**
 * What this device keeps of the conversation behind one link: enough to come back to it. The token is the only way in.
 * Under the link's own key, so that two links on one device are two conversations and an account of the app is not touched.
 */
import type { GuestLook } from '~/api/types';

export interface Kept {
  token: string;
  user: string;
  name: string;
  conversation: string;
  /** Who answers, as it was seen at the door: the link may end before the conversation. */
  look: GuestLook;
}

const key = (code: string) => `magpie:guest:${code}`;
const draftKey = (code: string) => `magpie:guest-draft:${code}`;
const askedKey = (code: string) => `magpie:guest-asked:${code}`;

/** A link as it was typed or scanned, in its one form. */
export function codeOf(path: string): string {
  return (/^\/g\/([^/]+)/.exec(path)?.[1] ?? '').replace(/-|%20|\s/g, '').toLowerCase();
}

/** Whether it was said once that the link should be kept. */
export function wasAsked(code: string): boolean {
  try {
    return localStorage.getItem(askedKey(code)) !== null;
  } catch {
    return true;
  }
}

export function noteAsked(code: string): void {
  try {
    localStorage.setItem(askedKey(code), '1');
  } catch {
    // It is said again the next time.
  }
}

export function readKept(code: string): Kept | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(key(code)) ?? 'null') as Kept | null;
    return kept?.token && kept.conversation ? kept : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the page was only loaded anew in the tab where the conversation was open: then nobody else has come. Whoever
 * opens the link again may be another person on the same device, and is asked.
 */
export function isSamePage(): boolean {
  try {
    const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    return entry?.type === 'reload';
  } catch {
    return false;
  }
}

/** False where the browser keeps nothing: then the page lives as long as it is open. */
export function keep(code: string, value: Kept): boolean {
  try {
    localStorage.setItem(key(code), JSON.stringify(value));
    return localStorage.getItem(key(code)) !== null;
  } catch {
    return false;
  }
}

export function forget(code: string): void {
  try {
    localStorage.removeItem(key(code));
    localStorage.removeItem(draftKey(code));
    localStorage.removeItem(askedKey(code));
  } catch {
    // Nothing was kept.
  }
}

export function readDraft(code: string): string {
  try {
    return localStorage.getItem(draftKey(code)) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(code: string, text: string): void {
  try {
    if (text) localStorage.setItem(draftKey(code), text);
    else localStorage.removeItem(draftKey(code));
  } catch {
    // It lives as long as the page.
  }
}
