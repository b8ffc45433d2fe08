/**
 * What an event does to what is held: pure functions. The law they keep: state at one moment + the events since
 * == a fresh read now (events.test.ts).
 */
import type {
  AcksEvent,
  ConversationEvent,
  ConversationStreamEvent,
  MemberEvent,
  PersonStreamEvent,
  ReactionsEvent,
} from '~/api/events';
import type { Conversation, ConversationMember, Cursor, Message, Preferences, SharedConversation } from '~/api/types';
import { change, newer, type Segment, upsert } from './segments';

/** A conversation as held here: what the API gives. */
export type HeldConversation = Conversation;

export interface Timeline {
  /** The rev up to which the segments are true; may trail the conversation's own after reading from the cache. */
  rev: number;
  segments: Segment[];
  /** The newest message there was at `rev`; what lies after it is new to this timeline with all that belongs to it. */
  tail: number;
  /** The first message there is to see, once it was reached. */
  first?: number;
}

/** Events arrive as `{kind, …row}`; rows that have a `kind` of their own stand under their name. */
export function readConversationEvent(value: unknown): ConversationStreamEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const event = value as { kind?: string; conversation?: SharedConversation };
  switch (event.kind) {
    case 'message':
    case 'reactions':
    case 'acks':
    case 'member':
      return event as ConversationStreamEvent;
    case 'conversation':
      return event.conversation ? (event as ConversationEvent) : undefined;
    default:
      return undefined;
  }
}

export function applyToConversation(
  held: HeldConversation,
  rev: number,
  events: readonly ConversationStreamEvent[],
  me: string,
): HeldConversation {
  let c = held;
  for (const event of messagesOf(events)) c = withMessage(c, event, me);
  for (const event of events) {
    if (event.kind === 'conversation') c = withShared(c, event.conversation);
    else if (event.kind === 'member' && event.user === me && !event.left) c = { ...c, my_role: event.role };
    else if (event.kind === 'reactions') c = withReactions(c, event, me);
    else if (event.kind === 'acks' && c.last?.seq === event.seq) c = { ...c, last: acked(c.last, event, me) };
  }
  return counted({ ...c, head: { ...c.head, rev: Math.max(c.head.rev, rev) } });
}

/**
 * After a catch-up rows come in the order of their last change: a reaction may stand before the message it is on, and seq is
 * in no order. Messages go first, by seq.
 */
function messagesOf(events: readonly ConversationStreamEvent[]) {
  return events.filter((e) => e.kind === 'message').sort((a, b) => a.seq - b.seq);
}

function withMessage(held: HeldConversation, event: Message, me: string): HeldConversation {
  const message = plain(event);
  const c = withNames(held, message, me);
  if (message.undone) return withUndone(c, message);
  if (c.last && message.seq === c.last.seq) return { ...c, last: newer(c.last, message) };
  // Not the head decides: its row may have come before the message's own.
  if (c.last && message.seq < c.last.seq) return c;
  const head = {
    ...c.head,
    seq: Math.max(c.head.seq, message.seq),
    n: Math.max(c.head.n, message.n),
    mention_all_n: message.mention_all ? Math.max(c.head.mention_all_n, message.n) : c.head.mention_all_n,
    changed_at: Math.max(c.head.changed_at, message.sent_at),
  };
  return { ...c, head, last: message };
}

/** Which messages above the place read to name this person now: an edit, a recall and an undo all change it. */
function withNames(c: HeldConversation, message: Message, me: string): HeldConversation {
  const names = message.sender.id !== me && message.mentions.includes(me) && message.seq > c.cursor.read_seq;
  const rest = c.mentions?.filter((seq) => seq !== message.seq) ?? [];
  if (!names && rest.length === (c.mentions?.length ?? 0)) return c;
  return { ...c, mentions: names ? [...rest, message.seq] : rest };
}

/** It stands for nothing any more; `last` stays empty until the one before it is found. */
function withUndone(c: HeldConversation, message: Message): HeldConversation {
  const head = {
    ...c.head,
    seq: Math.max(c.head.seq, message.seq),
    n: Math.max(c.head.n, message.n),
    changed_at: Math.max(c.head.changed_at, message.sent_at),
  };
  const next: HeldConversation = { ...c, head };
  if (c.last?.seq === message.seq) delete next.last;
  if (message.countable && message.seq > c.cursor.read_seq && !c.undone?.includes(message.seq))
    next.undone = [...(c.undone ?? []), message.seq];
  return next;
}

function withReactions(c: HeldConversation, event: ReactionsEvent, me: string): HeldConversation {
  return c.last?.seq === event.seq ? { ...c, last: reacted(c.last, event, me) } : c;
}

function withShared(c: HeldConversation, shared: SharedConversation): HeldConversation {
  const head = { ...c.head, ...shared.head };
  // A row may have been read before a frame that is older than it: places never go back.
  head.seq = Math.max(head.seq, c.head.seq);
  head.n = Math.max(head.n, c.head.n);
  head.rev = Math.max(head.rev, c.head.rev);
  head.changed_at = Math.max(head.changed_at, c.head.changed_at);
  const own = {
    cursor: c.cursor,
    unread: c.unread,
    mentioned: c.mentioned,
    mentions: c.mentions,
    preferences: c.preferences,
    draft: c.draft,
    my_role: c.my_role,
    peer: c.peer,
    joined_seq: c.joined_seq,
    can: c.can,
    last: c.last,
  };
  return { ...c, title: undefined, ...shared, ...own, head };
}

/** Unread follows from head and cursor; nothing else sets it. */
function counted(c: HeldConversation): HeldConversation {
  const undone = c.undone?.filter((seq) => seq > c.cursor.read_seq) ?? [];
  const unread = Math.max(0, c.head.n - c.cursor.n - undone.length);
  const all = c.head.mention_all_n > c.cursor.n;
  const mentions = c.mentions?.filter((seq) => seq > c.cursor.read_seq) ?? [];
  const mentioned = unread > 0 && (all || mentions.length > 0);
  const same = undone.length === (c.undone?.length ?? 0) && mentions.length === (c.mentions?.length ?? 0);
  if (unread === c.unread && mentioned === c.mentioned && same) return c;
  return { ...c, unread, mentioned, ...(c.undone ? { undone } : {}), ...(c.mentions ? { mentions } : {}) };
}

export function applyCursor(c: HeldConversation, cursor: Cursor): HeldConversation {
  const moved = {
    read_seq: Math.max(c.cursor.read_seq, cursor.read_seq),
    n: Math.max(c.cursor.n, cursor.n),
    delivered_seq: Math.max(c.cursor.delivered_seq, cursor.delivered_seq),
  };
  return counted({ ...c, cursor: moved });
}

export function applyPreferences(c: HeldConversation, p: Preferences): HeldConversation {
  const { muted, pinned, hidden, marked_unread } = p;
  return { ...c, preferences: { muted, pinned, hidden, marked_unread } };
}

/** A fresh row in place of the held one, except where the held one knows more. */
export function refresh(held: HeldConversation | undefined, row: Conversation): HeldConversation {
  if (!held) return row;
  if (held.head.rev > row.head.rev) {
    return applyCursor(held, row.cursor);
  }
  return applyCursor(row, held.cursor);
}

export function applyToTimeline(timeline: Timeline, events: readonly ConversationStreamEvent[], me: string): Timeline {
  let segments = timeline.segments;
  for (const event of messagesOf(events)) segments = upsert(segments, plain(event), timeline.tail);
  for (const event of events) {
    if (event.kind === 'reactions') segments = change(segments, event.seq, (m) => reacted(m, event, me));
    if (event.kind === 'acks') segments = change(segments, event.seq, (m) => acked(m, event, me));
  }
  return segments === timeline.segments ? timeline : { ...timeline, segments };
}

function plain(event: Message): Message {
  const { kind: _, ...message } = event as Message & { kind?: string };
  return message;
}

export function acked(message: Message, event: AcksEvent, me: string): Message {
  const mine = event.user === me ? event.on : (message.acks?.me ?? false);
  return { ...message, acks: { count: event.count, me: mine } };
}

export function reacted(message: Message, event: ReactionsEvent, me: string): Message {
  const before = message.reactions ?? [];
  const old = before.find((r) => r.emoji === event.emoji);
  if (event.count === 0) return { ...message, reactions: before.filter((r) => r.emoji !== event.emoji) };
  const whole = event.users.length === event.count;
  const mine = event.user === me ? event.on : event.users.includes(me) || (!whole && (old?.me ?? false));
  const next = { emoji: event.emoji, count: event.count, users: event.users, me: mine };
  const reactions = old ? before.map((r) => (r === old ? next : r)) : [...before, next];
  return { ...message, reactions };
}

export function applyToMembers(
  members: readonly ConversationMember[],
  event: MemberEvent,
  nameOf: (id: string) => string | undefined,
): ConversationMember[] {
  const rest = members.filter((m) => m.user !== event.user);
  if (event.left) return rest;
  const old = members.find((m) => m.user === event.user);
  const name = old?.name ?? nameOf(event.user) ?? '';
  const next = { ...old, user: event.user, name, role: event.role, joined_seq: event.joined_seq, left: false };
  return old ? members.map((m) => (m === old ? next : m)) : [...rest, next];
}

/** Whether it counts among those that need this person, on every surface: the server counts by the same rule. */
export function needsMe(c: HeldConversation): boolean {
  return (c.unread > 0 || c.preferences.marked_unread) && (!c.preferences.muted || c.mentioned);
}

/** The list's order: pinned first, then what changed last. */
export function listOrder(conversations: Record<string, HeldConversation>): string[] {
  return Object.values(conversations)
    .filter((c) => !c.preferences.hidden)
    .sort(
      (a, b) => Number(b.preferences.pinned) - Number(a.preferences.pinned) || b.head.changed_at - a.head.changed_at,
    )
    .map((c) => c.id);
}

export type { PersonStreamEvent };
