/**
 * Brings the ends of the newest conversations to the device, also of those nobody opened here, so that they can be read
 * without a network. One at a time and unhurried, straight to the device: memory holds only what is looked at.
 */
import { ask, client } from '~/api/client';
import type { Message } from '~/api/types';
import { wantPeople } from '~/core/store/people';
import { KEEP_MESSAGES, KEEP_TIMELINES, keptTail, putTail } from './cache';
import { services } from './live';
import { chat } from './store';

const PAGE = 100;
const PAUSE_MS = 300;
/** After the list changed: what is written right now comes by itself where it is looked at. */
const SETTLE_MS = 5_000;
/** Between two rounds. */
const REST_MS = 20_000;

let timer: ReturnType<typeof setTimeout> | undefined;
let walking = false;
let again = false;

/** Looks soon at what is not on the device yet; to be called when the list was read or has changed. */
export function keepSoon(after = SETTLE_MS): void {
  again = walking;
  if (timer !== undefined || walking) return;
  timer = setTimeout(() => {
    timer = undefined;
    walking = true;
    walk()
      .catch(() => undefined)
      .finally(() => {
        walking = false;
        if (again) keepSoon(REST_MS);
      });
  }, after);
}

export function stopKeeping(): void {
  clearTimeout(timer);
  timer = undefined;
  again = false;
}

async function walk(): Promise<void> {
  const started = services();
  for (const id of chat.getState().order.slice(0, KEEP_TIMELINES)) {
    // Signed out, another tab's business, or nobody to ask.
    if (!started?.cache || services() !== started || !started.realtime.leads) return;
    if (started.realtime.state !== 'live') {
      again = true;
      return;
    }
    const { conversations, timelines } = chat.getState();
    const head = conversations[id]?.head;
    if (!head || head.seq === 0 || timelines[id]) continue;
    if (((await keptTail(id))?.tail ?? 0) >= head.seq) continue;
    await bring(id);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Reads pages from the end back until there are enough. */
async function bring(id: string): Promise<void> {
  const messages: Message[] = [];
  let rev: number | undefined;
  let tail = 0;
  while (messages.length < KEEP_MESSAGES) {
    const before = messages[0]?.seq;
    const query = { limit: PAGE, ...(before === undefined ? {} : { before }) };
    const page = await ask(client.GET('/conversations/{id}/messages', { params: { path: { id }, query } }));
    // The oldest of the pages says from where on changes must be asked for.
    rev = rev === undefined ? page.rev : Math.min(rev, page.rev);
    tail = tail || page.head.seq;
    messages.unshift(...page.items);
    if (page.items.length < PAGE) break;
  }
  const [first, last] = [messages[0], messages[messages.length - 1]];
  // Somebody opened it meanwhile: what the timeline writes is newer.
  if (!first || !last || rev === undefined || chat.getState().timelines[id]) return;
  wantPeople(new Set(messages.map((m) => m.sender.id)));
  await putTail({
    conversation: id,
    rev,
    tail,
    from: first.seq,
    to: last.seq,
    messages: messages.slice(-KEEP_MESSAGES),
  });
}
