/** What a person does in a conversation. Each throws an `AppError` if it did not happen. */
import { ask, client } from '~/api/client';
import type { Conversation, Message, Preferences, Sent } from '~/api/types';
import { now } from '~/core/clock';
import type { OutboxRow } from '~/core/outbox';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { uuidv7 } from '~/core/uuid';
import { acknowledge } from './api';
import { keepDraft } from './drafts';
import { applyCursor, applyPreferences } from './events';
import { noticePeople, services } from './live';
import { loadMembers } from './members';
import { messageAt, upsert } from './segments';
import { chat, type Draft, putConversations, setMembers, updateConversation } from './store';
import { compose, toDraft } from './text';
import { arrived, offerUndo } from './undo';

/** For how long the words of a recalled message can be had back. */
export const REWRITE_MS = 5 * 60_000;

const nameOf = (id: string) => people.getState().users[id]?.name ?? '';

export async function send(conversation: string, draft: Draft): Promise<void> {
  const text = draft.text.trim();
  if (!text && !draft.files?.length) return;
  const composed = compose({ ...draft, text });
  const client_id = uuidv7();
  await services()?.outbox.add({
    ...composed,
    conversation,
    client_id,
    reply_to: draft.reply_to ?? null,
    ...(draft.ack ? { ack: true } : {}),
    created_at: now(),
  });
  keepDraft(conversation, { text: '', picks: [] });
  offerUndo(conversation, client_id, draft);
}

/** The server has a message: it stands in the timeline before its frame arrives, so that nothing flickers. */
export function sentMessage(row: OutboxRow, sent: Sent): void {
  arrived(row.conversation, row.client_id, sent.seq, sent.sent_at);
  const { timelines } = chat.getState();
  const held = timelines[row.conversation];
  if (!held || messageAt(held.segments, sent.seq)) return;
  const message: Message = {
    ...sent,
    sender: { kind: 'person', id: myId() },
    body: row.body,
    mentions: row.mentions,
    mention_all: row.mention_all,
    reply_to: row.reply_to ?? null,
    ...(row.ack ? { ack: true, acks: { count: 0, me: false } } : {}),
    edited_at: null,
    recalled_at: null,
    countable: true,
  };
  const segments = upsert(held.segments, message, held.tail);
  chat.setState({ timelines: { ...timelines, [row.conversation]: { ...held, segments } } });
}

/** Puts a changed row in its place at once; the stream brings the same row again. */
function show(conversation: string, message: Message): void {
  const { timelines } = chat.getState();
  const held = timelines[conversation];
  if (!held || !messageAt(held.segments, message.seq)) return;
  chat.setState({
    timelines: { ...timelines, [conversation]: { ...held, segments: upsert(held.segments, message, held.tail) } },
  });
  updateConversation(conversation, (c) => (c.last?.seq === message.seq ? { ...c, last: message } : c));
}

export async function edit(id: string, seq: number, draft: Draft): Promise<void> {
  const { body, mentions } = compose({ ...draft, text: draft.text.trim() });
  const path = { id, seq };
  show(
    id,
    await ask(client.PATCH('/conversations/{id}/messages/{seq}', { params: { path }, body: { body, mentions } })),
  );
}

export async function recall(id: string, message: Message): Promise<void> {
  const path = { id, seq: message.seq };
  const draft = { ...toDraft(message.body, nameOf), ...(message.reply_to ? { reply_to: message.reply_to } : {}) };
  const answer: Message = await ask(client.POST('/conversations/{id}/messages/{seq}/recall', { params: { path } }));
  const { restored, ...row } = answer;
  show(id, row);
  if (message.sender.id !== myId()) return;
  const until = restored?.until ?? now() + REWRITE_MS;
  const { recalled } = chat.getState();
  chat.setState({ recalled: { ...recalled, [`${id}:${message.seq}`]: { draft, until } } });
}

export async function react(id: string, seq: number, emoji: string, on: boolean): Promise<void> {
  const params = { path: { id, seq, emoji } };
  const address = '/conversations/{id}/messages/{seq}/reactions/{emoji}' as const;
  const reaction = await ask(on ? client.PUT(address, { params }) : client.DELETE(address, { params }));
  const held = messageAt(chat.getState().timelines[id]?.segments ?? [], seq);
  if (!held || !reaction) return;
  const before = held.reactions ?? [];
  const known = before.some((r) => r.emoji === emoji);
  const next = known ? before.map((r) => (r.emoji === emoji ? reaction : r)) : [...before, reaction];
  show(id, { ...held, reactions: next.filter((r) => r.count > 0) });
}

/** Says 收到 to a message that asks for it, or takes it back. */
export async function sayReceived(id: string, seq: number, on: boolean): Promise<void> {
  const acks = await acknowledge(id, seq, on);
  const held = messageAt(chat.getState().timelines[id]?.segments ?? [], seq);
  if (held) show(id, { ...held, acks });
}

/** The person has seen everything up to `seq`. */
export function markRead(id: string, seq: number): void {
  const { conversations, timelines } = chat.getState();
  const c = conversations[id];
  if (!c) return;
  if (c.preferences.marked_unread) void setPreferences(id, { marked_unread: false }).catch(() => undefined);
  if (seq <= c.cursor.read_seq) return;
  const message = messageAt(timelines[id]?.segments ?? [], seq);
  const n = seq >= c.head.seq ? c.head.n : (message?.n ?? c.cursor.n);
  updateConversation(id, (held) =>
    applyCursor(held, { read_seq: seq, n, delivered_seq: Math.max(seq, held.cursor.delivered_seq) }),
  );
  services()?.cursors.move({ conversation: id, read_seq: seq });
}

export async function setPreferences(id: string, change: Partial<Preferences>): Promise<void> {
  updateConversation(id, (c) => applyPreferences(c, { ...c.preferences, ...change }));
  await ask(client.PUT('/conversations/{id}/preferences', { params: { path: { id } }, body: change }));
}

export async function startDirect(user: string): Promise<Conversation> {
  return kept(await ask(client.POST('/conversations/direct', { body: { user } })));
}

export async function createGroup(org: string | undefined, title: string, members: string[]): Promise<Conversation> {
  const body = { members, ...(org ? { org_id: org } : {}), ...(title ? { title } : {}) };
  return kept(await ask(client.POST('/conversations', { body })));
}

function kept(row: Conversation): Conversation {
  putConversations([row]);
  noticePeople([row]);
  return row;
}

export async function rename(id: string, title: string): Promise<void> {
  kept(await ask(client.PATCH('/conversations/{id}', { params: { path: { id } }, body: { title } })));
}

export async function addMembers(id: string, users: string[]): Promise<void> {
  await ask(client.POST('/conversations/{id}/members', { params: { path: { id } }, body: { users } }));
  await loadMembers(id);
}

export async function removeMember(id: string, user: string): Promise<void> {
  await ask(client.DELETE('/conversations/{id}/members/{user}', { params: { path: { id, user } } }));
  const held = chat.getState().members[id];
  if (held)
    setMembers(
      id,
      held.filter((m) => m.user !== user),
    );
}
