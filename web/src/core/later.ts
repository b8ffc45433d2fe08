/**
 * Things that are done a moment later, so that they can still be taken back: the row is gone at once, the server hears of it
 * when the moment is over, or at once when the page is left.
 */
import { createStore } from 'zustand/vanilla';

export const LATER_MS = 5_500;

interface Act {
  timer: ReturnType<typeof setTimeout>;
  /** `leaving`: the page may be gone before the answer comes, so the request must outlive it. */
  run(leaving: boolean): Promise<void>;
}

const acts = new Map<string, Act>();

/** The keys of what is about to be done or is being done: whoever lists such things leaves these out. */
export const soon = createStore<{ keys: Readonly<Record<string, true>> }>(() => ({ keys: {} }));

function mark(key: string, on: boolean): void {
  const { [key]: _, ...others } = soon.getState().keys;
  soon.setState({ keys: on ? { ...others, [key]: true } : others });
}

/** Plans an act. `run` does it and sees to its own failures; the key is held until it has settled. */
export function later(key: string, run: Act['run']): void {
  if (acts.has(key)) return;
  const timer = setTimeout(() => void settle(key, false), LATER_MS);
  acts.set(key, { timer, run });
  mark(key, true);
}

/** True if it was not too late. */
export function takeBack(key: string): boolean {
  const act = acts.get(key);
  if (!act) return false;
  clearTimeout(act.timer);
  acts.delete(key);
  mark(key, false);
  return true;
}

async function settle(key: string, leaving: boolean): Promise<void> {
  const act = acts.get(key);
  if (!act) return;
  clearTimeout(act.timer);
  acts.delete(key);
  try {
    await act.run(leaving);
  } finally {
    mark(key, false);
  }
}

/** Does at once all that was planned: the page is being left, or the session ends. */
export async function doNow(leaving = false): Promise<void> {
  await Promise.all([...acts.keys()].map((key) => settle(key, leaving)));
}

globalThis.addEventListener?.('pagehide', () => void doNow(true));
