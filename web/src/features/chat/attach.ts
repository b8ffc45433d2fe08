/** Files of the composer: where they are shown while on their way, and the message that waits for them. */
import { asAppError } from '~/api/client';
import { session } from '~/core/store/session';
import { type Attached, bytesText, removeFile, Trays } from '~/features/files';
import { allTexts, i18next } from '~/i18n';
import { toast } from '~/ui/Toast';
import { send } from './actions';
import { keepDraft } from './drafts';
import { chat, type Draft } from './store';
import { chatUi, putTray } from './ui';

const NONE: Draft = { text: '', picks: [] };
const draftOf = (id: string): Draft => chat.getState().drafts[id] ?? NONE;

const REFUSED = {
  too_many: 'files:refused.too_many',
  too_large: 'files:refused.too_large',
  no_space: 'files:refused.no_space',
} as const;

let trays: Trays | undefined;

/** The chosen pictures themselves, until the server's small ones take over: what one has just picked is known at once. */
const previews = new Map<string, string>();
const MOST_PREVIEWS = 20;

function keepPreview(file: string, preview: string): void {
  previews.set(file, preview);
  const [oldest] = previews.keys();
  if (previews.size > MOST_PREVIEWS && oldest !== undefined) dropPreview(oldest);
}

function dropPreview(file: string): void {
  const preview = previews.get(file);
  if (preview) URL.revokeObjectURL(preview);
  previews.delete(file);
}

export const previewOf = (file: string): string | undefined => previews.get(file);

/** A line over the tray, until it is put away. */
function note(id: string, text: string): void {
  const held = chatUi.getState().trays[id]?.refused ?? [];
  putTray(id, { refused: [...held, text].slice(-3) });
}

/** Holds back the message that waits: whoever sends it is to have read this first. */
function warn(id: string, name: string): void {
  const held = chatUi.getState().trays[id]?.traced ?? [];
  const text = i18next.t('files:traced', { name });
  putTray(id, { armed: false, traced: [...held.filter((one) => one !== text), text] });
}

function open(): Trays {
  if (trays) return trays;
  const made = new Trays({
    chips: (id, chips) => {
      putTray(id, { chips });
      settle(id);
    },
    ready: (id, block, preview) => {
      if (preview) keepPreview(block.file, preview);
      const draft = draftOf(id);
      keepDraft(id, { ...draft, files: [...(draft.files ?? []), block] });
    },
    refused: (id, name, why, limit) => {
      const most = why === 'too_many' ? String(limit) : bytesText(i18next.language, limit);
      note(id, i18next.t(REFUSED[why], { name, most }));
    },
    traced: warn,
  });
  const online = () => made.nudge();
  const leave = (e: BeforeUnloadEvent) => (made.size > 0 ? e.preventDefault() : undefined);
  window.addEventListener('online', online);
  window.addEventListener('beforeunload', leave);
  const owner = session.getState();
  const off = session.subscribe((now) => {
    if (now.me?.id === owner.me?.id) return;
    off();
    window.removeEventListener('online', online);
    window.removeEventListener('beforeunload', leave);
    made.close();
    for (const file of [...previews.keys()]) dropPreview(file);
    trays = undefined;
    chatUi.setState({ trays: {} });
  });
  trays = made;
  return made;
}

export async function takeFiles(id: string, files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  await allTexts().catch(() => undefined);
  const there = draftOf(id).files?.length ?? 0;
  // What is said of files that are there already goes on until their message went.
  putTray(id, { refused: [], armed: false, ...(there > 0 ? {} : { traced: [] }) });
  const org = chat.getState().conversations[id]?.org_id ?? undefined;
  await open().take(id, org, files, there);
}

export const pauseFile = (key: number) => open().pause(key);
export const resumeFile = (key: number) => open().resume(key);
export const removeChip = (key: number) => open().remove(key);

/** Takes a file out of the draft. Nobody has seen it: the server need not keep it either. */
export function detach(id: string, draft: Draft, block: Attached, put: (draft: Draft) => void): void {
  const files = (draft.files ?? []).filter((f) => f.file !== block.file);
  const { files: _, ...rest } = draft;
  put(files.length > 0 ? { ...rest, files } : rest);
  dropPreview(block.file);
  // One that another message shows stays; so does it while it may still be wanted for an edit.
  if (chatUi.getState().editing?.conversation !== id) void removeFile(block.file).catch(() => undefined);
}

/** The message that waits goes when nothing is on its way any more; what failed holds it back. */
function settle(id: string): void {
  const tray = chatUi.getState().trays[id];
  if (!tray?.armed) return;
  if (tray.chips.some((c) => c.state === 'failed' || c.state === 'paused')) return putTray(id, { armed: false });
  if (tray.chips.length > 0) return;
  putTray(id, { armed: false });
  void send(id, draftOf(id)).catch((error) =>
    toast(i18next.t(`errors:${asAppError(error).code}` as 'errors:internal')),
  );
}
