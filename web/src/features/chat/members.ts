/**
 * Who is in a conversation, with the marks beside their names. A frame says that somebody came; whether they are from
 * outside, and whether their name was checked, only the list of the server tells, so it is read again then.
 */
import { ask, client } from '~/api/client';
import type { ConversationMember } from '~/api/types';
import { learnPeople } from '~/core/store/people';
import { chat, setMembers } from './store';

/** Up to a thousand: enough for a list to pick from, search takes over beyond. */
const PAGES = 5;
/** Many come together, and all who look would ask in the same moment. */
const AGAIN_MS = 300;
const SPREAD_MS = 700;

const reading = new Map<string, Promise<void>>();
/** Changed while the list was on its way, so that the answer may be older. */
const stale = new Set<string>();
const shown = new Map<string, number>();
const timers = new Map<string, ReturnType<typeof setTimeout>>();

/** Reads who is in a conversation; whoever asks meanwhile waits for the same answer. */
export function loadMembers(id: string): Promise<void> {
  const running = reading.get(id) ?? read(id).finally(() => reading.delete(id));
  reading.set(id, running);
  return running;
}

async function read(id: string): Promise<void> {
  stale.delete(id);
  const members: ConversationMember[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const query = { limit: 200, ...(cursor ? { cursor } : {}) };
    const got = await ask(client.GET('/conversations/{id}/members', { params: { path: { id }, query } }));
    members.push(...got.items);
    cursor = got.next ?? undefined;
    if (!cursor) break;
  }
  learnPeople(members.map((m) => ({ id: m.user, name: m.name })));
  setMembers(id, members);
  if (stale.delete(id)) again(id);
}

/** Somebody came whose marks are not known, or the list changed while it was being read. */
export function membersChanged(id: string, newcomer: boolean): void {
  if (reading.has(id)) stale.add(id);
  else if (newcomer) again(id);
}

function again(id: string): void {
  // What nobody looks at is read when it is opened.
  if (!shown.has(id)) return setMembers(id, undefined);
  if (timers.has(id)) return;
  const wait = AGAIN_MS + Math.random() * SPREAD_MS;
  timers.set(
    id,
    setTimeout(() => {
      timers.delete(id);
      if (chat.getState().conversations[id]) loadMembers(id).catch(() => undefined);
    }, wait),
  );
}

/** Somebody looks at this conversation until the answer is called. */
export function showMembers(id: string): () => void {
  shown.set(id, (shown.get(id) ?? 0) + 1);
  return () => {
    const left = (shown.get(id) ?? 1) - 1;
    if (left > 0) shown.set(id, left);
    else shown.delete(id);
  };
}
