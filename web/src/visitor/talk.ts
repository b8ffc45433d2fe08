/**
 * The one conversation of a visitor: what is held of it, and what changes it. The connection, the outbox and the places
 * read to are the app's own (`core`); the reducer is small, because there is one conversation and no list.
 */
import { createStore } from 'zustand/vanilla';
import { type AppError, asAppError } from '~/api/client';
import type { ConversationStreamEvent } from '~/api/events';
import type { Block, Conversation, ConversationMember, Message, NewMessage, Sent } from '~/api/types';
import { CursorMoves } from '~/core/cursors';
import { dropOutbox, openOutboxStore } from '~/core/db';
import type { Attached } from '~/core/files/tray';
import { Outbox, type OutboxRow } from '~/core/outbox';
import { Realtime, type TabMessage } from '~/core/realtime';
import type { ConnectionState } from '~/core/socket';
import { openTabs } from '~/core/tabs';
import { uuidv7 } from '~/core/uuid';
import * as api from './api';
import type { Kept } from './kept';
import { isAttached, NOTHING, tray } from './tray';
import { filesHeld } from './useFiles';

export interface Talk {
  state: 'loading' | 'ready' | 'failed' | 'ended';
  error: AppError | undefined;
  conversation: Conversation | undefined;
  /** Ascending, without holes. */
  messages: readonly Message[];
  /** There is more before the first. */
  more: boolean;
  members: Readonly<Record<string, Pick<ConversationMember, 'name' | 'external' | 'unverified' | 'lookalike'>>>;
  /** Up to where others have read. */
  read: Readonly<Record<string, number>>;
  waiting: readonly OutboxRow[];
  typing: boolean;
  /** What one took back here, by its place: to be written anew while the page is open. */
  recalled: Readonly<Record<number, { words: string; files: readonly Attached[] }>>;
  /** Words on their way back into the composer. */
  rewriting: string | undefined;
  connection: ConnectionState;
  /** This page does what one page of a browser does for all of them. */
  leads: boolean;
}

const EMPTY: Talk = {
  state: 'loading',
  error: undefined,
  conversation: undefined,
  messages: [],
  more: false,
  members: {},
  read: {},
  waiting: [],
  typing: false,
  recalled: {},
  rewriting: undefined,
  connection: 'connecting',
  leads: false,
};

export const talk = createStore<Talk>(() => EMPTY);

interface Running {
  kept: Kept;
  outbox: Outbox;
  realtime: Realtime;
  cursors: CursorMoves;
  poll: ReturnType<typeof setInterval>;
}

let running: Running | undefined;
let typingOver: ReturnType<typeof setTimeout> | undefined;

/** Web views and proxies that let no socket through: what is new is read this often instead. */
const POLL_MS = 5_000;
const TYPING_MS = 6_000;
export const FILES_OFF = 'guest_files_off';

/** Puts rows in the place of the old ones; newer rows win. */
export function put(held: readonly Message[], incoming: readonly Message[]): Message[] {
  const rows = new Map(held.map((m) => [m.seq, m]));
  for (const m of incoming) {
    const old = rows.get(m.seq);
    if (!old || m.rev >= old.rev) rows.set(m.seq, m);
  }
  return [...rows.values()].sort((a, b) => a.seq - b.seq);
}

/** The state after the events of `rev`. Messages before the first that is held stay unread of: they come with their page. */
export function reduce(state: Talk, rev: number, events: readonly ConversationStreamEvent[]): Talk {
  let { conversation, messages, members, read } = state;
  if (!conversation) return state;
  const first = messages[0]?.seq ?? 0;
  for (const event of events) {
    if (event.kind === 'message') {
      if (event.seq >= first) messages = put(messages, [event]);
    } else if (event.kind === 'conversation') conversation = { ...conversation, ...event.conversation };
    else if (event.kind === 'member' && event.left) {
      const { [event.user]: _, ...others } = members;
      members = others;
      const { [event.user]: __, ...places } = read;
      read = places;
    }
  }
  return { ...state, conversation: { ...conversation, head: { ...conversation.head, rev } }, messages, members, read };
}

export async function start(kept: Kept): Promise<void> {
  stop();
  api.setToken(kept.token);
  talk.setState(EMPTY, true);
  try {
    await read(kept);
  } catch (thrown) {
    const error = asAppError(thrown);
    talk.setState(
      error.code === 'unauthenticated' || error.status === 404 ? { state: 'ended' } : { state: 'failed', error },
    );
    return;
  }
  await connect(kept);
}

/** Reads everything that is shown anew. */
async function read({ conversation: id, user }: Kept): Promise<void> {
  const [conversation, history, members, cursors] = await Promise.all([
    api.readConversation(id),
    api.readHistory(id),
    api.readMembers(id),
    api.readCursors(id),
  ]);
  const held = talk.getState().messages;
  const newest = history.items[history.items.length - 1]?.seq ?? 0;
  // Older pages stay where they reach up to this one.
  const joined = held.length > 0 && (held[held.length - 1]?.seq ?? 0) + 1 >= (history.items[0]?.seq ?? newest);
  const messages = joined ? put(held, history.items) : history.items;
  talk.setState({
    state: 'ready',
    // Rows and head may be of two moments: the older one is what is known for sure.
    conversation: {
      ...conversation,
      head: { ...conversation.head, rev: Math.min(conversation.head.rev, history.rev) },
    },
    messages,
    more: (messages[0]?.seq ?? 1) > conversation.joined_seq,
    members: Object.fromEntries(members.map((m) => [m.user, m])),
    read: Object.fromEntries(cursors.filter((c) => c.user !== user).map((c) => [c.user, c.read_seq])),
  });
}

async function connect(kept: Kept): Promise<void> {
  const { conversation: id, user } = kept;
  const place = { host: location.host, person: user };
  const store = await openOutboxStore(place);
  const tabs = openTabs<TabMessage>(`magpie:${place.host}:${user}`);
  const outbox = new Outbox({
    store,
    send: ({ conversation, order: _, created_at: __, failed: ___, waiting: ____, unkept: _____, ...message }) =>
      api.send(conversation, message),
    changed(waiting) {
      // The organisation lets guests send no files any more, which no event tells.
      if (waiting.some((row) => row.failed?.code === FILES_OFF) && mayAttach(talk.getState())) void readRights();
      talk.setState({ waiting });
    },
    wrote: () => realtime.outboxWritten(),
    acknowledged: (row, sent) => acknowledged(row, sent, user),
  });
  const stream = `conversation:${id}`;
  const realtime = new Realtime({
    tabs,
    tab: uuidv7(),
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/realtime`,
    epoch: () => undefined,
    resume: () => undefined,
    createSocket: api.openSocket,
    stateChanged: (connection) => {
      talk.setState({ connection });
      if (connection === 'ended') ended();
    },
    ephemeral(message) {
      if (message.t === 'receipts' && message.conversation === id) receipts(message.cursors, user);
      if (message.t === 'typing' && message.stream === stream && message.user !== user) typing();
    },
    resumed() {
      realtime.catchUp(stream, talk.getState().conversation?.head.rev ?? 0);
      outbox.nudge();
    },
    newEpoch: () => void again(),
    sessionLives: api.lives,
    other(message) {
      if (message.k === 'signed_out') ended();
      if (message.k === 'outbox') void outbox.load().then(() => outbox.run());
      if (message.k === 'outbox_changed') void outbox.load();
    },
    leading() {
      talk.setState({ leads: true });
      void outbox.load().then(() => outbox.run());
    },
  });
  const cursors = new CursorMoves(api.moveCursors);
  const poll = setInterval(() => {
    if (talk.getState().connection !== 'live' && !document.hidden) void again();
  }, POLL_MS);
  running = { kept, outbox, realtime, cursors, poll };
  const follow = (rev: number, events: unknown[]) => applied(rev, events as ConversationStreamEvent[], outbox, user);
  realtime.handle('conversation', {
    known: (of) => (of === id ? talk.getState().conversation?.head.rev : undefined),
    apply: (_, rev, events) => follow(rev, events),
    catchUp: (_, __, rev, events) => follow(rev, events),
    resync: () => void again(),
  });
  await outbox.load();
  realtime.start();
  realtime.want({ open: [id] });
}

function applied(rev: number, events: ConversationStreamEvent[], outbox: Outbox, user: string): void {
  talk.setState((state) => reduce(state, rev, events));
  for (const event of events) {
    if (event.kind === 'message' && event.sender.id === user && event.client_id) void outbox.remove(event.client_id);
    if (event.kind === 'message' && event.sender.id !== user) talk.setState({ typing: false });
    // Whoever came in has a name that only the list of members tells.
    if (event.kind === 'member' && !event.left) void readMembers();
  }
}

async function readMembers(): Promise<void> {
  const { kept } = running ?? {};
  if (!kept) return;
  const members = await api.readMembers(kept.conversation).catch(() => undefined);
  if (members) talk.setState({ members: Object.fromEntries(members.map((m) => [m.user, m])) });
}

function acknowledged(row: OutboxRow, sent: Sent, user: string): void {
  const message: Message = {
    seq: sent.seq,
    n: sent.n,
    rev: sent.rev,
    client_id: row.client_id,
    sender: { kind: 'guest', id: user },
    sent_at: sent.sent_at,
    body: row.body,
    mentions: row.mentions,
    mention_all: false,
    reply_to: row.reply_to ?? null,
    edited_at: null,
    recalled_at: null,
    countable: true,
  };
  const { messages } = talk.getState();
  // Not where something before it is missing: the stream brings both.
  if ((messages[messages.length - 1]?.seq ?? 0) + 1 >= sent.seq) talk.setState({ messages: put(messages, [message]) });
}

function receipts(cursors: readonly { user: string; read_seq: number }[], user: string): void {
  talk.setState(({ read }) => {
    const next = { ...read };
    for (const c of cursors) if (c.user !== user) next[c.user] = Math.max(next[c.user] ?? 0, c.read_seq);
    return { read: next };
  });
}

function typing(): void {
  clearTimeout(typingOver);
  talk.setState({ typing: true });
  typingOver = setTimeout(() => talk.setState({ typing: false }), TYPING_MS);
}

/** Reads it anew, as where no socket gets through. */
async function again(): Promise<void> {
  const { kept } = running ?? {};
  if (!kept) return;
  try {
    await read(kept);
  } catch (thrown) {
    const { code, status } = asAppError(thrown);
    if (code === 'unauthenticated' || status === 404) ended();
  }
}

function ended(): void {
  stop();
  talk.setState({ state: 'ended' });
}

/** True once the message is kept: only then may the composer be emptied. */
export async function say(text: string, files: readonly Attached[], replyTo: number | undefined): Promise<boolean> {
  if (!running) return false;
  const words: Block[] = text ? [{ type: 'text', text }] : [];
  const message: NewMessage = {
    client_id: uuidv7(),
    body: { kind: 'blocks', blocks: [...words, ...files] },
    ...(replyTo ? { reply_to: replyTo } : {}),
  };
  const row = { ...message, mentions: [], mention_all: false, created_at: Date.now() };
  await running.outbox.add({ ...row, conversation: running.kept.conversation });
  return true;
}

/** Whether files may be sent along. */
export const mayAttach = ({ conversation }: Talk): boolean => conversation?.can.attach ?? false;

/** Takes one's own message back, for everybody. Throws an `AppError` where the server does not. */
export async function recall(message: Message): Promise<void> {
  if (!running) return;
  const row = await api.recall(running.kept.conversation, message.seq);
  const blocks = message.body?.kind === 'blocks' ? message.body.blocks : [];
  const words = blocks.map((b) => (b.type === 'text' ? b.text : '')).join('');
  const files = blocks.filter(isAttached);
  talk.setState(({ messages, recalled }) => ({
    messages: put(messages, [row]),
    recalled: words || files.length > 0 ? { ...recalled, [message.seq]: { words, files } } : recalled,
  }));
}

/** Gives what a recalled message said and carried to the composer. */
export function rewrite(seq: number): void {
  const { [seq]: back, ...recalled } = talk.getState().recalled;
  if (!back) return;
  talk.setState({ recalled, rewriting: back.words });
  tray.setState(({ ready }) => ({ ready: [...ready, ...back.files] }));
}

/** Reads anew what one may do here. */
export async function readRights(): Promise<void> {
  const { kept } = running ?? {};
  const now = kept && (await api.readConversation(kept.conversation).catch(() => undefined));
  if (now) talk.setState(({ conversation: held }) => (held ? { conversation: { ...held, can: now.can } } : {}));
}

export const retry = (clientId: string): void => void running?.outbox.retry(clientId);
export const discard = (clientId: string): void => void running?.outbox.remove(clientId);
export const wake = (): void => running?.realtime.wake();
export const isTyping = (): void => running?.realtime.typing(running.kept.conversation);

/** One has seen everything up to this message. */
export function seen(seq: number): void {
  const { conversation } = talk.getState();
  if (!running || !conversation || conversation.cursor.read_seq >= seq) return;
  talk.setState({ conversation: { ...conversation, cursor: { ...conversation.cursor, read_seq: seq } } });
  running.cursors.move({ conversation: running.kept.conversation, read_seq: seq });
}

export async function earlier(): Promise<void> {
  const { messages, conversation } = talk.getState();
  const first = messages[0]?.seq;
  if (!running || !conversation || !first) return;
  const page = await api.readHistory(running.kept.conversation, first);
  const all = put(talk.getState().messages, page.items);
  talk.setState({ messages: all, more: page.items.length > 0 && (all[0]?.seq ?? 1) > conversation.joined_seq });
}

export function stop(): void {
  if (!running) return;
  clearInterval(running.poll);
  running.realtime.stop();
  running.cursors.stop();
  running.outbox.close();
  running = undefined;
}

/** Leaves for good. What was kept here goes once the server has forgotten. */
export async function leave(kept: Kept): Promise<void> {
  await api.leave();
  running?.realtime.signedOut();
  stop();
  api.setToken(undefined);
  await dropAll(kept.user);
}

/** Nothing that a guest wrote, chose or looked at stays on this device. */
export async function dropAll(user: string): Promise<void> {
  tray.setState(NOTHING, true);
  filesHeld()?.letGoOfAll();
  await dropOutbox({ host: location.host, person: user });
}
