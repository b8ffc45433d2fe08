/** Taking back what was just sent, and getting the words of it back into the composer. */
import { AppError, asAppError, ask, client } from '~/api/client';
import type { Message, Restored } from '~/api/types';
import { now } from '~/core/clock';
import { people } from '~/core/store/people';
import { keepDraft } from './drafts';
import { services } from './live';
import { change } from './segments';
import { chat, type Draft } from './store';
import { toDraft } from './text';

const nameOf = (id: string) => people.getState().users[id]?.name ?? '';

/** Messages whose undoing was asked for before the server had said where they stand. */
const wanted = new Set<string>();

/** The latest message may be undone for a few seconds; the clock that decides is the server's. */
export function offerUndo(conversation: string, client_id: string, draft: Draft): void {
  const ms = chat.getState().conversations[conversation]?.undo_ms ?? 0;
  if (ms > 0) chat.setState({ sent: { conversation, client_id, draft, until: now() + ms } });
}

export function canUndo(conversation: string): boolean {
  const { sent } = chat.getState();
  return sent?.conversation === conversation && (sent.seq === undefined || now() < sent.until);
}

/** A message of one's own has its place. */
export function arrived(conversation: string, client_id: string, seq: number, sent_at: number): void {
  const { sent, conversations } = chat.getState();
  if (wanted.delete(client_id)) return void takeBack(conversation, seq).catch(() => undefined);
  if (sent?.client_id !== client_id || sent.seq !== undefined) return;
  const until = sent_at + (conversations[conversation]?.undo_ms ?? 0);
  chat.setState({ sent: { ...sent, seq, until } });
}

/** Takes the latest message back: its words are in the composer at once, whatever the server is doing. */
export async function undo(): Promise<void> {
  const { sent } = chat.getState();
  if (!sent) return;
  chat.setState({ sent: undefined });
  giveBack(sent.conversation, sent.draft);
  if (sent.seq !== undefined) return takeBack(sent.conversation, sent.seq);
  wanted.add(sent.client_id);
  await services()?.outbox.remove(sent.client_id);
}

async function takeBack(id: string, seq: number): Promise<void> {
  try {
    await post(id, seq, 'undo');
  } catch (error) {
    // Too late to leave no trace: then as one takes back an older message.
    if (asAppError(error).code !== 'undo_window_closed') throw error;
    await post(id, seq, 'recall');
    return;
  }
  const held = chat.getState().timelines[id];
  if (!held) return;
  const segments = change(held.segments, seq, (m) => ({ ...m, body: null, undone: true, recalled_at: now() }));
  chat.setState({ timelines: { ...chat.getState().timelines, [id]: { ...held, segments } } });
}

async function post(id: string, seq: number, what: 'undo' | 'recall'): Promise<Message> {
  const params = { path: { id, seq } };
  const address = `/conversations/{id}/messages/{seq}/${what}` as '/conversations/{id}/messages/{seq}/recall';
  return ask(client.POST(address, { params }));
}

/** Back into the composer, before what was begun there since. */
export function giveBack(id: string, draft: Draft): void {
  const held = chat.getState().drafts[id] ?? { text: '', picks: [] };
  const text = held.text.trim() ? `${draft.text}\n${held.text}` : draft.text;
  const reply_to = held.reply_to ?? draft.reply_to;
  const picks = [...draft.picks, ...held.picks.filter((p) => !draft.picks.some((d) => d.user === p.user))];
  const ack = held.ack || draft.ack;
  const files = [...(draft.files ?? []), ...(held.files ?? [])];
  keepDraft(id, {
    ...held,
    text,
    picks,
    ...(files.length > 0 ? { files } : {}),
    ...(reply_to === undefined ? {} : { reply_to }),
    ...(ack ? { ack } : {}),
  });
}

export function fromRestored(restored: Restored): Draft {
  const draft = toDraft(restored.body, nameOf);
  return {
    ...draft,
    ...(restored.reply_to === null ? {} : { reply_to: restored.reply_to }),
    ...(restored.ack ? { ack: true } : {}),
  };
}

/** What a recalled message of one's own said, from whichever device it was taken back. */
export async function readRestored(id: string, seq: number): Promise<Draft> {
  const kept = chat.getState().recalled[`${id}:${seq}`];
  if (kept) return kept.draft;
  const message: Message = await ask(
    client.GET('/conversations/{id}/messages/{seq}', { params: { path: { id, seq } } }),
  );
  if (!message.restored) throw new AppError('recall_window_closed', 409);
  return fromRestored(message.restored);
}
