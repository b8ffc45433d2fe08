/** Reading a conversation's past into the store: the end, more in either direction, around a place, at a date. */
import { ask, client } from '~/api/client';
import type { History } from '~/api/types';
import { wantPeople } from '~/core/store/people';
import { readTimeline } from './cache';
import { services } from './live';
import { lastSegment, segmentWith } from './segments';
import { chat, putHistory, putTimeline, setFirst } from './store';

const LIMIT = 50;
const underWay = new Map<string, Promise<void>>();

/** One request per place at a time; a second caller waits for the first. */
function once(key: string, work: () => Promise<void>): Promise<void> {
  const running = underWay.get(key);
  if (running) return running;
  const started = work().finally(() => underWay.delete(key));
  underWay.set(key, started);
  return started;
}

type Where = { before?: number; after?: number; around?: number };

async function read(id: string, where: Where): Promise<History> {
  try {
    const query = { ...where, limit: LIMIT };
    return await ask(client.GET('/conversations/{id}/messages', { params: { path: { id }, query } }));
  } catch (error) {
    chat.setState({ historyFailed: { ...chat.getState().historyFailed, [id]: true } });
    throw error;
  }
}

function put(id: string, page: History, where: Where): void {
  const first = page.items[0];
  const last = page.items[page.items.length - 1];
  const from = where.after === undefined ? (first?.seq ?? 1) : where.after + 1;
  const to = where.before !== undefined ? where.before - 1 : (last?.seq ?? 0);
  const behind = putHistory(id, page, { from, to });
  if (behind !== undefined) services()?.realtime.catchUp(`conversation:${id}`, behind);
  const ids = new Set<string>();
  for (const m of page.items) {
    ids.add(m.sender.id);
    for (const user of m.mentions) ids.add(user);
  }
  wantPeople(ids);
}

/** Sees to it that the end of a conversation is in memory: at once from the device if it is kept there. */
export async function openTimeline(id: string): Promise<void> {
  if (chat.getState().timelines[id]) {
    const held = chat.getState().timelines[id];
    if (held) putTimeline(id, held);
    return ensureTail(id);
  }
  const cached = await readTimeline(id);
  if (cached && !chat.getState().timelines[id]) {
    putTimeline(id, cached);
    const known = chat.getState().conversations[id]?.head.rev ?? 0;
    if (cached.rev < known) services()?.realtime.catchUp(`conversation:${id}`, cached.rev);
  }
  return ensureTail(id);
}

async function ensureTail(id: string): Promise<void> {
  const { timelines, conversations } = chat.getState();
  const tail = lastSegment(timelines[id]?.segments ?? []);
  const head = conversations[id]?.head.seq;
  if (tail && head !== undefined && tail.to >= head && tail.messages.length > 0) return;
  // From the device and only a little behind: the catch-up under way brings the rest without a jump.
  return loadTail(id);
}

export function loadTail(id: string): Promise<void> {
  return once(`${id}:tail`, async () => {
    const page = await read(id, {});
    put(id, page, {});
    if (page.items.length < LIMIT) setFirst(id, page.items[0]?.seq ?? 1);
  });
}

export function loadBefore(id: string, seq: number): Promise<void> {
  const first = chat.getState().timelines[id]?.first;
  if (seq <= 1 || (first !== undefined && seq <= first)) return Promise.resolve();
  return once(`${id}:before:${seq}`, async () => {
    const page = await read(id, { before: seq });
    if (page.items.length > 0) put(id, page, { before: seq });
    if (page.items.length < LIMIT) setFirst(id, page.items[0]?.seq ?? seq);
  });
}

export function loadAfter(id: string, seq: number): Promise<void> {
  return once(`${id}:after:${seq}`, async () => {
    const page = await read(id, { after: seq });
    if (page.items.length > 0) put(id, page, { after: seq });
  });
}

/** Sees to it that the surroundings of a message are in memory. */
export async function loadAround(id: string, seq: number): Promise<void> {
  if (segmentWith(chat.getState().timelines[id]?.segments ?? [], seq)) return;
  return once(`${id}:around:${seq}`, async () => put(id, await read(id, { around: seq }), {}));
}

/** The first message at or after a moment, in memory. */
export async function findDate(id: string, time: number): Promise<number> {
  const { seq } = await ask(
    client.GET('/conversations/{id}/messages/at', { params: { path: { id }, query: { time } } }),
  );
  await loadAround(id, seq);
  return seq;
}
