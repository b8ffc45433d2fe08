/** Keeps the list and the ends of timelines on the device, so that a reload paints before the network answers. */
import type { Cache, CachedTimeline } from '~/core/db';
import type { Timeline } from './events';
import { keepSoon, stopKeeping } from './keep';
import { lastSegment } from './segments';
import { type ChatState, chat, type Draft, putConversations } from './store';

export const KEEP_MESSAGES = 200;
export const KEEP_TIMELINES = 50;
/** What stays of the timelines when the device has no room. */
const KEEP_LEAST = 10;
const WRITE_AFTER_MS = 600;

let cache: Cache | undefined;
let stopWatching = () => {};

/** More that must be written together with the rows, so that what is resumed from is never ahead of them. */
type Extras = () => Record<string, unknown>;
let extras: Extras = () => ({});

/** Paints from the device, then keeps what changes. */
export async function startCache(db: Cache | undefined, together: Extras): Promise<void> {
  cache = db;
  extras = together;
  if (!db) return;
  const [rows, drafts] = await Promise.all([db.getAll('conversations'), db.get('kv', 'drafts')]);
  if (rows.length > 0 && chat.getState().list === 'none') putConversations(rows, 'cache');
  if (drafts) chat.setState({ drafts: { ...(drafts as Record<string, Draft>), ...chat.getState().drafts } });
  watch(db);
}

export function stopCache(): void {
  stopWatching();
  stopKeeping();
  stopWatching = () => {};
  cache = undefined;
}

export async function keptTail(id: string): Promise<CachedTimeline | undefined> {
  return cache?.get('timelines', id).catch(() => undefined);
}

/** Keeps the end of a conversation nobody looks at. */
export async function putTail(tail: CachedTimeline): Promise<void> {
  const from = Math.max(tail.from, tail.messages[0]?.seq ?? tail.from);
  await cache?.put('timelines', { ...tail, from }).catch(() => undefined);
}

/** The device has no room left: lets go of all but the newest timelines, which can be read again. */
export async function makeRoom(): Promise<void> {
  const db = cache;
  if (!db) return;
  const newest = new Set(chat.getState().order.slice(0, KEEP_LEAST));
  for (const id of await db.getAllKeys('timelines')) if (!newest.has(id)) await db.delete('timelines', id);
}

export async function readTimeline(id: string): Promise<Timeline | undefined> {
  try {
    const kept = await cache?.get('timelines', id);
    if (!kept || kept.messages.length === 0) return undefined;
    return { rev: kept.rev, tail: kept.tail, segments: [{ from: kept.from, to: kept.to, messages: kept.messages }] };
  } catch {
    return undefined;
  }
}

function watch(db: Cache): void {
  let written = chat.getState();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    timer = undefined;
    const state = chat.getState();
    const before = written;
    written = state;
    save(db, before, state).catch((error: unknown) => {
      // Nothing of it was written: the next change tries all of it again.
      written = before;
      if ((error as DOMException | undefined)?.name === 'QuotaExceededError') void makeRoom().catch(() => undefined);
    });
  };
  const unsubscribe = chat.subscribe((state, before) => {
    // What somebody is writing exists nowhere else: it does not wait, or a reload would lose the last words.
    if (state.drafts !== before.drafts) db.put('kv', state.drafts, 'drafts').catch(() => undefined);
    const same = state.conversations === before.conversations && state.timelines === before.timelines;
    if (state.order !== before.order) keepSoon();
    if (!same && timer === undefined) timer = setTimeout(write, WRITE_AFTER_MS);
  });
  stopWatching = () => {
    clearTimeout(timer);
    unsubscribe();
  };
}

async function save(db: Cache, before: ChatState, now: ChatState): Promise<void> {
  const tx = db.transaction(['conversations', 'timelines', 'kv'], 'readwrite');
  const rows = tx.objectStore('conversations');
  const timelines = tx.objectStore('timelines');
  const work: Promise<unknown>[] = [];
  for (const [id, row] of Object.entries(now.conversations)) {
    if (before.conversations[id] !== row) work.push(rows.put(row));
  }
  for (const id of Object.keys(before.conversations)) {
    if (!now.conversations[id]) work.push(rows.delete(id), timelines.delete(id));
  }
  for (const [id, timeline] of Object.entries(now.timelines)) {
    const kept = before.timelines[id] === timeline ? undefined : tailOf(id, timeline);
    if (kept) work.push(timelines.put(kept));
  }
  const kv = tx.objectStore('kv');
  for (const [key, value] of Object.entries(extras())) work.push(kv.put(value, key));
  await Promise.all(work);
  await tx.done;
  await forgetOld(db, now);
}

/** Keeps the newest conversations' timelines only. */
async function forgetOld(db: Cache, now: ChatState): Promise<void> {
  if ((await db.count('timelines')) <= KEEP_TIMELINES) return;
  const newest = new Set(now.order.slice(0, KEEP_TIMELINES));
  for (const id of await db.getAllKeys('timelines')) {
    if (!newest.has(id)) await db.delete('timelines', id);
  }
}

function tailOf(id: string, timeline: Timeline): CachedTimeline | undefined {
  const tail = lastSegment(timeline.segments);
  const messages = tail?.messages.slice(-KEEP_MESSAGES) ?? [];
  const first = messages[0];
  return tail && first
    ? { conversation: id, rev: timeline.rev, tail: timeline.tail, from: first.seq, to: tail.to, messages }
    : undefined;
}
