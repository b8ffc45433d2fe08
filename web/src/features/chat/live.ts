/** Chat's ends of the realtime connection: what a stream, an ephemeral message or a tab's return means here. */

import { ask, client } from '~/api/client';
import type { Ephemeral, PersonStreamEvent } from '~/api/events';
import type { Conversation, CursorMove } from '~/api/types';
import type { CursorMoves } from '~/core/cursors';
import type { Cache } from '~/core/db';
import type { Outbox } from '~/core/outbox';
import type { Realtime, StreamHandler } from '~/core/realtime';
import { people, wantPeople } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { draftArrived, noticeDrafts } from './drafts';
import { applyCursor, applyPreferences, readConversationEvent } from './events';
import { loadTail } from './history';
import { membersChanged } from './members';
import {
  applyEvents,
  chat,
  dropConversation,
  dropTimeline,
  putConversations,
  putCursors,
  setMembers,
  setTyping,
  updateConversation,
} from './store';
import { peopleOf } from './system';
import { arrived } from './undo';

export interface ChatServices {
  realtime: Realtime;
  outbox: Outbox;
  cursors: CursorMoves;
  cache: Cache | undefined;
}

let current: ChatServices | undefined;

export function setServices(services: ChatServices | undefined): void {
  current = services;
}

/** The services of the running session; undefined while nobody is signed in. */
export function services(): ChatServices | undefined {
  return current;
}

export const conversationHandler: StreamHandler = {
  known: (id) => chat.getState().conversations[id]?.head.rev,
  apply(id, rev, values) {
    follow(id, rev, values);
  },
  catchUp(id, from, rev, values) {
    follow(id, rev, values, from);
  },
  resync(id) {
    const held = chat.getState().timelines[id] !== undefined;
    dropTimeline(id);
    setMembers(id, undefined);
    void readConversation(id).then(() => (held ? loadTail(id).catch(() => undefined) : undefined));
  },
};

function follow(id: string, rev: number, values: unknown[], from?: number): void {
  const events = values.map(readConversationEvent).filter((e) => e !== undefined);
  const known = chat.getState().members[id];
  const behind = applyEvents(id, rev, events, from);
  const after = chat.getState().conversations[id];
  // Only the server knows which is the newest that stands.
  if (after && !after.last && after.head.seq > 0) void readConversation(id);
  if (behind !== undefined) current?.realtime.catchUp(`conversation:${id}`, behind);
  const me = myId();
  for (const e of events) {
    if (e.kind === 'message') {
      wantPeople([e.sender.id, ...e.mentions, ...peopleOf(e)]);
      if (e.sender.id === me && e.client_id) {
        void current?.outbox.remove(e.client_id);
        arrived(id, e.client_id, e.seq, e.sent_at);
      }
      if (e.sender.id !== me) setTyping(id, e.sender.id, 0);
    } else if (e.kind === 'member') {
      wantPeople([e.user]);
      membersChanged(id, !e.left && !known?.some((m) => m.user === e.user) && known !== undefined);
    }
  }
  delivered([id]);
}

/** Tells the senders of direct messages that theirs have arrived. */
export function delivered(ids: readonly string[]): void {
  const { conversations } = chat.getState();
  for (const id of ids) {
    const c = conversations[id];
    if (c?.kind !== 'direct' || c.cursor.delivered_seq >= c.head.seq || c.last?.sender.id === myId()) continue;
    const cursor = { ...c.cursor, delivered_seq: c.head.seq };
    updateConversation(id, (held) => applyCursor(held, cursor));
    current?.cursors.move({ conversation: id, delivered_seq: c.head.seq });
  }
}

export async function readConversation(id: string): Promise<Conversation | undefined> {
  try {
    const row = await ask(client.GET('/conversations/{id}', { params: { path: { id } } }));
    putConversations([row]);
    noticePeople([row]);
    return row;
  } catch {
    return undefined;
  }
}

const PAGE = 200;

/** Reads the whole list. What the server does not name any more is dropped. */
export async function readConversations(): Promise<void> {
  const rows: Conversation[] = [];
  try {
    let cursor: string | undefined;
    do {
      const page = await ask(
        client.GET('/conversations', { params: { query: { limit: PAGE, ...(cursor ? { cursor } : {}) } } }),
      );
      rows.push(...page.items);
      if (chat.getState().list !== 'server') putConversations(page.items);
      cursor = page.next ?? undefined;
    } while (cursor);
  } catch {
    return chat.setState({ listFailed: true });
  }
  const gone = Object.keys(chat.getState().timelines).filter((id) => !rows.some((r) => r.id === id));
  putConversations(rows, 'server', true);
  for (const id of gone) dropTimeline(id);
  noticePeople(rows);
  noticeDrafts(rows);
  delivered(rows.map((r) => r.id));
  catchUpTimelines();
}

/** Timelines that were read earlier than the list (from the device, or before a break) are brought up to it. */
export function catchUpTimelines(): void {
  const { timelines, conversations } = chat.getState();
  for (const [id, timeline] of Object.entries(timelines)) {
    const head = conversations[id]?.head;
    if (head && timeline.rev < head.rev) current?.realtime.catchUp(`conversation:${id}`, timeline.rev);
  }
}

export function noticePeople(rows: readonly Conversation[]): void {
  const ids = new Set<string>();
  for (const c of rows) {
    if (c.peer) ids.add(c.peer);
    for (const id of c.members_preview) ids.add(id);
    if (c.last) {
      ids.add(c.last.sender.id);
      for (const id of [...c.last.mentions, ...peopleOf(c.last)]) ids.add(id);
    }
  }
  wantPeople(ids);
}

/** An event has no word on whether the other one rests: what was said last stands until it is asked again. */
function keepRest(row: Conversation): Conversation {
  const until = chat.getState().conversations[row.id]?.resting_until;
  return until === undefined || row.resting_until !== undefined ? row : { ...row, resting_until: until };
}

/** It may be followed already, where one left and came back: what is kept of it is then older than the row. */
function followed(row: Conversation): void {
  const timeline = chat.getState().timelines[row.id];
  putConversations([keepRest(row)]);
  noticePeople([row]);
  delivered([row.id]);
  if (!timeline) setMembers(row.id, undefined);
  // The server says what changed, or that the access began anew and all is to be read again.
  else if (timeline.rev < row.head.rev) current?.realtime.catchUp(`conversation:${row.id}`, timeline.rev);
}

/** What on one's own stream concerns conversations. */
export function personEvent(event: PersonStreamEvent): void {
  switch (event.kind) {
    case 'cursor':
      return updateConversation(event.conversation, (c) => applyCursor(c, event));
    case 'preferences':
      return updateConversation(event.conversation, (c) => applyPreferences(c, event));
    case 'draft':
      return draftArrived(event.conversation, event.text, event.rev);
    case 'followed':
      return followed(event.conversation);
    case 'unfollowed':
      return dropConversation(event.conversation);
    default:
  }
}

const TYPING_MS = 5_000;

export function ephemeral(message: Ephemeral): void {
  switch (message.t) {
    case 'typing': {
      const id = message.stream.slice(message.stream.indexOf(':') + 1);
      if (message.user === myId()) return;
      const until = Date.now() + TYPING_MS;
      setTyping(id, message.user, until);
      wantPeople([message.user]);
      setTimeout(() => {
        if (chat.getState().typing[id]?.[message.user] === until) setTyping(id, message.user, 0);
      }, TYPING_MS + 50);
      return;
    }
    case 'receipts':
      return putCursors(message.conversation, message.cursors);
    case 'presence':
      return people.setState({ presence: { ...people.getState().presence, ...message.people } });
    default:
  }
}

export async function putMoves(moves: CursorMove[]): Promise<void> {
  const { items } = await ask(client.PUT('/cursors', { body: { cursors: moves } }));
  for (const item of items) updateConversation(item.conversation, (c) => applyCursor(c, item));
}
