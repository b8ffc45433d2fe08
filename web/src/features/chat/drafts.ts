/**
 * What is being written: kept here at once, on the server soon for the person's other devices. A draft knows from which
 * text of the server it was begun; where both sides went on from there, neither is lost: one is shown, the other offered.
 */
import { asAppError, ask, client } from '~/api/client';
import type { Conversation } from '~/api/types';
import { chat, type Draft, setDraft } from './store';

const SEND_AFTER_MS = 2_000;

const timers = new Map<string, ReturnType<typeof setTimeout>>();

const NONE: Draft = { text: '', picks: [] };
const draftOf = (id: string): Draft => chat.getState().drafts[id] ?? NONE;
const baseOf = (draft: Draft) => draft.base ?? { text: '', rev: 0 };

export function keepDraft(id: string, draft: Draft): void {
  const { base, other } = draftOf(id);
  setDraft(id, { ...(base ? { base } : {}), ...(other ? { other } : {}), ...draft });
  tellSoon(id);
}

function tellSoon(id: string): void {
  clearTimeout(timers.get(id));
  timers.set(
    id,
    setTimeout(() => void tell(id), SEND_AFTER_MS),
  );
}

async function tell(id: string): Promise<void> {
  timers.delete(id);
  const { text, base = { text: '', rev: 0 } } = draftOf(id);
  if (text === base.text) return;
  try {
    const rev = await put(id, text, base.rev);
    // Its event may have been here before the answer.
    if (baseOf(draftOf(id)).rev <= rev) setDraft(id, { ...draftOf(id), base: { text, rev } });
  } catch (error) {
    const { code, context } = asAppError(error);
    if (code === 'draft_conflict') bothChanged(id, String(context.text ?? ''), Number(context.rev ?? 0));
    // What did not arrive is still on this device, and told with the next change or when the list is read again.
  }
}

async function put(id: string, text: string, base: number): Promise<number> {
  const body = { text, base };
  const { rev } = await ask(client.PUT('/conversations/{id}/draft', { params: { path: { id } }, body }));
  return rev;
}

/** A draft as the server has it, from this device or another. */
export function draftArrived(id: string, text: string, rev?: number): void {
  const held = draftOf(id);
  const base = baseOf(held);
  if (rev !== undefined && rev <= base.rev) return;
  const next = { text, rev: rev ?? base.rev };
  if (text === held.text || text === base.text) return setDraft(id, { ...held, base: next });
  if (held.text === base.text) return setDraft(id, { ...held, text, picks: [], base: next });
  bothChanged(id, text, next.rev);
}

/** Written here and elsewhere since the same text. What only goes on from the other needs no question. */
function bothChanged(id: string, text: string, rev: number): void {
  const held = draftOf(id);
  const base = { text, rev };
  if (text.startsWith(held.text)) return setDraft(id, { ...held, text, picks: [], base });
  // Emptied elsewhere means sent there: what was written here since stays.
  const goesOn = held.text.startsWith(text);
  setDraft(id, { ...held, base, ...(goesOn ? {} : { other: text }) });
  tellSoon(id);
}

/** The text of the other device in place of this one's, which is offered in its turn. */
export function takeOther(id: string): void {
  const held = draftOf(id);
  if (held.other) keepDraft(id, { ...held, text: held.other, picks: [], other: held.text });
}

export function dropOther(id: string): void {
  const { other: _, ...held } = draftOf(id);
  setDraft(id, held);
}

/** Rows just read: drafts of other devices in them, and those of this one that never arrived. */
export function noticeDrafts(rows: readonly Conversation[]): void {
  for (const row of rows) {
    const held = chat.getState().drafts[row.id];
    if (!held && !row.draft) continue;
    if (!timers.has(row.id)) draftArrived(row.id, row.draft ?? '', row.draft_rev);
    const now = draftOf(row.id);
    if (now.text !== baseOf(now).text) tellSoon(row.id);
  }
}

/** What is being written and the server does not have: files, quotes and requests are only ever here. */
export function unsaidDrafts(): Record<string, Draft> {
  const { drafts } = chat.getState();
  const unsaid = Object.entries(drafts).filter(
    ([, d]) => d.text !== baseOf(d).text || d.files?.length || d.ack || d.other || d.reply_to !== undefined,
  );
  return Object.fromEntries(unsaid);
}

/** Puts them back where nothing newer stands. */
export function restoreDrafts(kept: Record<string, Draft>): void {
  chat.setState({ drafts: { ...kept, ...chat.getState().drafts } });
}

export function forgetDrafts(): void {
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
}
