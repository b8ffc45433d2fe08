/** All that is held of conversations while someone is signed in. Changed here only, through the pure functions of events.ts. */
import { createStore } from 'zustand/vanilla';
import type { ConversationStreamEvent } from '~/api/events';
import type {
  Conversation,
  ConversationMember,
  FileBlock,
  History,
  ImageBlock,
  MemberCursor,
  Message,
} from '~/api/types';
import type { OutboxRow } from '~/core/outbox';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import {
  applyToConversation,
  applyToMembers,
  applyToTimeline,
  type HeldConversation,
  listOrder,
  refresh,
  type Timeline,
} from './events';
import { lastSegment, merge, trim } from './segments';

/** Where a conversation was left: the first message seen and how far it was scrolled out; absent means at the end. */
export interface Anchor {
  seq: number;
  px: number;
}

export interface Draft {
  text: string;
  /** People picked from the mention list, by the name that stands in the text. */
  picks: { user: string; name: string }[];
  reply_to?: number;
  /** Pictures and files that are on the server already; they stand after the text. */
  files?: readonly (ImageBlock | FileBlock)[];
  /** Everyone is asked to say 收到. */
  ack?: boolean;
  /** What the server had when this text was begun, and its rev: what tells a change there from one here. */
  base?: { text: string; rev: number };
  /** What was written on another device meanwhile; kept until one of the two is chosen. */
  other?: string;
}

export interface SentNow {
  conversation: string;
  client_id: string;
  draft: Draft;
  /** Absent until the server has it. */
  seq?: number;
  until: number;
}

export interface ChatState {
  /** Whether the list was read: not yet, from the device, or from the server. */
  list: 'none' | 'cache' | 'server';
  listFailed: boolean;
  conversations: Record<string, HeldConversation>;
  order: string[];
  timelines: Record<string, Timeline>;
  /** Conversations with a timeline in memory, the latest used last. */
  used: string[];
  historyFailed: Record<string, boolean>;
  outbox: Record<string, OutboxRow[]>;
  typing: Record<string, Record<string, number>>;
  cursors: Record<string, Record<string, MemberCursor>>;
  members: Record<string, ConversationMember[]>;
  anchors: Record<string, Anchor | undefined>;
  drafts: Record<string, Draft>;
  /** What one took back a moment ago, to write it anew until then. */
  recalled: Record<string, { draft: Draft; until: number }>;
  /** The latest message sent from here, which may still be undone. */
  sent: SentNow | undefined;
}

export const MAX_TIMELINES = 5;
export const MAX_MESSAGES = 500;

const empty = (): ChatState => ({
  list: 'none',
  listFailed: false,
  conversations: {},
  order: [],
  timelines: {},
  used: [],
  historyFailed: {},
  outbox: {},
  typing: {},
  cursors: {},
  members: {},
  anchors: {},
  drafts: {},
  recalled: {},
  sent: undefined,
});

export const chat = createStore<ChatState>(empty);

export function forgetChat(): void {
  chat.setState(empty(), true);
}

function setConversations(conversations: Record<string, HeldConversation>, more: Partial<ChatState> = {}): void {
  chat.setState({ conversations, order: listOrder(conversations), ...more });
}

export function updateConversation(id: string, edit: (c: HeldConversation) => HeldConversation): void {
  const { conversations } = chat.getState();
  const old = conversations[id];
  if (!old) return;
  const next = edit(old);
  if (next !== old) setConversations({ ...conversations, [id]: next });
}

/** Rows as the API gave them; `whole` when they are all there is. */
export function putConversations(rows: readonly Conversation[], list?: 'cache' | 'server', whole = false): void {
  const { conversations } = chat.getState();
  const next: Record<string, HeldConversation> = whole ? {} : { ...conversations };
  for (const row of rows) next[row.id] = refresh(conversations[row.id], row);
  setConversations(next, list ? { list, listFailed: false } : {});
}

export function dropConversation(id: string): void {
  const { [id]: _, ...conversations } = chat.getState().conversations;
  setConversations(conversations);
  dropTimeline(id);
}

export function dropTimeline(id: string): void {
  const { timelines, used } = chat.getState();
  const { [id]: _, ...rest } = timelines;
  chat.setState({ timelines: rest, used: used.filter((u) => u !== id) });
}

/** Applies rows of the stream. `from` is set for a catch-up. Gives the rev to ask from if the timeline is still behind. */
export function applyEvents(
  id: string,
  rev: number,
  events: readonly ConversationStreamEvent[],
  from?: number,
): number | undefined {
  const state = chat.getState();
  const held = state.conversations[id];
  if (!held) return undefined;
  const me = myId();
  const base = from ?? rev - 1;
  let conversation = rev > held.head.rev && base <= held.head.rev ? applyToConversation(held, rev, events, me) : held;
  const timeline = state.timelines[id];
  const more: Partial<ChatState> = {};
  let behind: number | undefined;
  if (timeline) {
    const applied = applyToTimeline(timeline, events, me);
    const joins = base <= timeline.rev;
    const known = joins ? Math.max(timeline.rev, rev) : timeline.rev;
    const newest = events.reduce((seq, e) => (e.kind === 'message' ? Math.max(seq, e.seq) : seq), timeline.tail);
    const tail = joins ? newest : timeline.tail;
    more.timelines = { ...state.timelines, [id]: { ...applied, rev: known, tail } };
    if (known < conversation.head.rev) behind = known;
  }
  if (held.last && !conversation.last) {
    const last = behind === undefined ? newestShown(more.timelines?.[id], conversation.head.seq) : undefined;
    if (last) conversation = { ...conversation, last };
  }
  const members = state.members[id];
  if (members) {
    const changes = events.filter((e) => e.kind === 'member');
    const { users } = people.getState();
    const next = changes.reduce((list, e) => applyToMembers(list, e, (u) => users[u]?.name), members);
    if (changes.length > 0) more.members = { ...state.members, [id]: next };
  }
  if (conversation === held) chat.setState(more);
  else setConversations({ ...state.conversations, [id]: conversation }, more);
  return behind;
}

/** The newest message that was not undone, if the end is held. */
function newestShown(timeline: Timeline | undefined, head: number): Message | undefined {
  const tail = lastSegment(timeline?.segments ?? []);
  if (!tail || tail.to < head) return undefined;
  return [...(tail?.messages ?? [])].reverse().find((m) => !m.undone);
}

/** Adds a page of history. Gives the rev to catch up from if the page is older than what is held. */
export function putHistory(id: string, page: History, covers: { from: number; to: number }): number | undefined {
  const state = chat.getState();
  const held = state.timelines[id];
  const known = state.conversations[id]?.head.rev ?? page.rev;
  const segment = { ...covers, messages: page.items };
  const isNew = held === undefined;
  const stale = !isNew && page.rev < held.rev;
  const segments =
    covers.to < covers.from ? (held?.segments ?? []) : merge(held?.segments ?? [], segment, stale ? 'loses' : 'wins');
  const timeline: Timeline = { tail: page.head.seq, ...held, rev: held?.rev ?? page.rev, segments };
  chat.setState({
    timelines: { ...state.timelines, [id]: timeline },
    historyFailed: { ...state.historyFailed, [id]: false },
  });
  touchTimeline(id);
  if (stale) return page.rev;
  return timeline.rev < known ? timeline.rev : undefined;
}

export function putTimeline(id: string, timeline: Timeline): void {
  chat.setState({ timelines: { ...chat.getState().timelines, [id]: timeline } });
  touchTimeline(id);
}

export function setFirst(id: string, first: number): void {
  const { timelines } = chat.getState();
  const held = timelines[id];
  if (held) chat.setState({ timelines: { ...timelines, [id]: { ...held, first } } });
}

/** Marks a timeline as the latest used and lets go of those beyond the limit. */
function touchTimeline(id: string): void {
  const { used, timelines } = chat.getState();
  const next = [...used.filter((u) => u !== id), id];
  const over = next.splice(0, Math.max(0, next.length - MAX_TIMELINES));
  if (over.length === 0) return chat.setState({ used: next });
  const kept = { ...timelines };
  for (const old of over) delete kept[old];
  chat.setState({ used: next, timelines: kept });
}

/** Lets go of messages far from `seq` when a timeline has grown beyond its limit. */
export function trimTimeline(id: string, seq: number): void {
  const { timelines } = chat.getState();
  const held = timelines[id];
  if (!held) return;
  const total = held.segments.reduce((sum, s) => sum + s.messages.length, 0);
  if (total <= MAX_MESSAGES) return;
  const segments = trim(held.segments, Math.floor(MAX_MESSAGES * 0.6), seq);
  chat.setState({ timelines: { ...timelines, [id]: { ...held, segments } } });
}

export function putOutbox(rows: readonly OutboxRow[]): void {
  const outbox: Record<string, OutboxRow[]> = {};
  for (const row of rows) {
    const list = outbox[row.conversation] ?? [];
    list.push(row);
    outbox[row.conversation] = list;
  }
  chat.setState({ outbox });
}

export function putCursors(id: string, cursors: readonly MemberCursor[]): void {
  const all = chat.getState().cursors;
  const held = { ...all[id] };
  for (const c of cursors) {
    const old = held[c.user];
    held[c.user] = {
      user: c.user,
      read_seq: Math.max(c.read_seq, old?.read_seq ?? 0),
      delivered_seq: Math.max(c.delivered_seq, old?.delivered_seq ?? 0),
    };
  }
  chat.setState({ cursors: { ...all, [id]: held } });
}

export function setTyping(id: string, user: string, until: number): void {
  const { typing } = chat.getState();
  const { [user]: _, ...others } = typing[id] ?? {};
  chat.setState({ typing: { ...typing, [id]: until > 0 ? { ...others, [user]: until } : others } });
}

export function setDraft(id: string, draft: Draft): void {
  const { drafts } = chat.getState();
  const words = draft.text || draft.other || draft.base?.text;
  const holds = words || draft.files?.length || draft.ack || draft.reply_to !== undefined;
  if (holds) return chat.setState({ drafts: { ...drafts, [id]: draft } });
  const { [id]: _, ...rest } = drafts;
  chat.setState({ drafts: rest });
}

export function setMembers(id: string, members: ConversationMember[] | undefined): void {
  const all = { ...chat.getState().members };
  if (members) all[id] = members;
  else delete all[id];
  chat.setState({ members: all });
}

export function setAnchor(id: string, anchor: Anchor | undefined): void {
  chat.setState({ anchors: { ...chat.getState().anchors, [id]: anchor } });
}
