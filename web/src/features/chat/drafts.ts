/** What is being written: kept here at once, on the server soon for the person's other devices. */
import { ask, client } from '~/api/client';
import type { Conversation } from '~/api/types';
import { chat, type Draft, setDraft } from './store';

const SEND_AFTER_MS = 2_000;

/** Conversations whose draft changed here and was not told yet: what arrives for them is older. */
const pending = new Map<string, ReturnType<typeof setTimeout> | undefined>();
const told = new Map<string, string>();

export function keepDraft(id: string, draft: Draft): void {
  setDraft(id, draft);
  clearTimeout(pending.get(id));
  pending.set(
    id,
    setTimeout(() => void tell(id), SEND_AFTER_MS),
  );
}

async function tell(id: string): Promise<void> {
  const text = chat.getState().drafts[id]?.text ?? '';
  pending.set(id, undefined);
  try {
    const before = told.get(id) ?? chat.getState().conversations[id]?.draft ?? '';
    if (before !== text) {
      await ask(client.PUT('/conversations/{id}/draft', { params: { path: { id } }, body: { text } }));
      told.set(id, text);
    }
  } catch {
    // A draft that did not arrive is still on this device, and told with the next change.
  }
  // Unless it changed again while it was being told.
  if (pending.get(id) === undefined) pending.delete(id);
}

/** A draft of another device; one's own words here are newer. */
export function draftArrived(id: string, text: string): void {
  if (pending.has(id)) return;
  told.set(id, text);
  if ((chat.getState().drafts[id]?.text ?? '') !== text) setDraft(id, { text, picks: [] });
}

/** Rows just read may carry drafts of other devices. */
export function noticeDrafts(rows: readonly Conversation[]): void {
  for (const row of rows) if (row.draft) draftArrived(row.id, row.draft);
}

export function forgetDrafts(): void {
  for (const timer of pending.values()) clearTimeout(timer);
  pending.clear();
  told.clear();
}
