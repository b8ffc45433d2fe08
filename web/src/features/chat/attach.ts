/** Files of the composer: where they are shown while on their way, and the message that waits for them. */
import { asAppError } from '~/api/client';
import { isHeavy, lighter } from '~/core/photos';
import { session } from '~/core/store/session';
import { type Attached, bytesText, MOST, removeFile, Trays } from '~/features/files';
import { allTexts, i18next } from '~/i18n';
import { toast } from '~/ui/Toast';
import { send } from './actions';
import { keepDraft } from './drafts';
import { chat, type Draft } from './store';
import { chatUi, isComing, putTray } from './ui';

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
  // What was left out holds the message back: it may be about just that.
  putTray(id, { armed: false, refused: [...held, text].slice(-3) });
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
      if (preview) nowThere(id, preview, block.file);
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
  const busy = () => made.size > 0 || Object.values(chatUi.getState().trays).some((t) => t.preparing > 0);
  const leave = (e: BeforeUnloadEvent) => {
    if (!busy()) return;
    e.preventDefault();
    // Chrome heard nothing else before its version 119.
    e.returnValue = true;
  };
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
    turns.clear();
    chatUi.setState({ trays: {} });
  });
  trays = made;
  return made;
}

const trayOf = (id: string) => chatUi.getState().trays[id];

/** Turns of choosing, so that what was chosen first stands first. */
const turns = new Map<string, Promise<void>>();

export interface Taking {
  /** As they are, photographs too. */
  exact?: boolean;
  camera?: boolean;
}

export async function takeFiles(id: string, files: readonly File[], { exact, camera }: Taking = {}): Promise<void> {
  if (files.length === 0) return;
  await allTexts().catch(() => undefined);
  const there = draftOf(id).files?.length ?? 0;
  // What is said of files that are there already goes on until their message went.
  const told = there > 0 ? {} : { traced: [] };
  putTray(id, { refused: [], armed: false, camera: camera === true, originals: stillHere(id), ...told });
  const to = open();
  await inTurn(to, id, exact ? 0 : files.filter(isHeavy).length, async (done) => {
    const light: File[] = [];
    for (const file of files) {
      if (exact || !isHeavy(file)) {
        light.push(file);
        continue;
      }
      await take(to, id, light.splice(0));
      const small = full(id) ? file : await lighter(file);
      await take(to, id, [small], small === file ? undefined : file);
      done();
    }
    await take(to, id, light);
  });
}

const full = (id: string): boolean => (draftOf(id).files?.length ?? 0) + (trayOf(id)?.chips.length ?? 0) >= MOST;

/** One after the other in each conversation; `count` of what is prepared holds the message back, each until it is done. */
async function inTurn(to: Trays, id: string, count: number, run: (done: () => void) => Promise<void>): Promise<void> {
  let left = count;
  const done = (by: number) => {
    const now = Math.min(by, left);
    left -= now;
    const tray = trayOf(id);
    if (!tray || now === 0 || to !== trays) return;
    putTray(id, { preparing: Math.max(0, tray.preparing - now) });
    settle(id);
  };
  if (count > 0) putTray(id, { preparing: (trayOf(id)?.preparing ?? 0) + count });
  const turn = (turns.get(id) ?? Promise.resolve()).then(() => run(() => done(1))).finally(() => done(left));
  turns.set(
    id,
    turn.catch(() => undefined),
  );
  await turn;
}

/** Into the tray; gives whether the first of them was taken. `original`: what that one was made from. */
async function take(to: Trays, id: string, files: readonly File[], original?: File, leaving = 0): Promise<boolean> {
  // Somebody else may have signed in meanwhile.
  if (files.length === 0 || to !== trays) return false;
  const newest = Math.max(0, ...(trayOf(id)?.chips ?? []).map((c) => c.key));
  const org = chat.getState().conversations[id]?.org_id ?? undefined;
  await to.take(id, org, files, (draftOf(id).files?.length ?? 0) - leaving);
  const chip = trayOf(id)?.chips.find((c) => c.key > newest);
  if (chip?.preview && original) {
    putTray(id, { originals: { ...trayOf(id)?.originals, [chip.preview]: original } });
  }
  return chip !== undefined;
}

/** A picture that was on its way is there: from now on it is known by its file. */
function nowThere(id: string, preview: string, file: string): void {
  keepPreview(file, preview);
  const { [preview]: original, ...others } = trayOf(id)?.originals ?? {};
  if (original) putTray(id, { originals: { ...others, [file]: original } });
}

/** Originals of what goes with the next message; those of messages that went are let go of. */
function stillHere(id: string): Record<string, File> {
  const tray = trayOf(id);
  const keys = new Set([...(tray?.chips ?? []).map((c) => c.preview), ...(draftOf(id).files ?? []).map((f) => f.file)]);
  return Object.fromEntries(Object.entries(tray?.originals ?? {}).filter(([key]) => keys.has(key)));
}

/** Every photograph that was made smaller as its camera took it, in its place. One that is not taken stays small. */
export async function takeOriginals(id: string): Promise<void> {
  const originals = stillHere(id);
  const smaller = Object.values(originals);
  putTray(id, { armed: false, refused: [], originals });
  const to = open();
  await inTurn(to, id, smaller.length, async (done) => {
    for (const original of smaller) {
      if (await take(to, id, [original], undefined, 1)) dropSmaller(id, original);
      done();
    }
  });
}

function dropSmaller(id: string, original: File): void {
  const tray = trayOf(id);
  const key = Object.entries(tray?.originals ?? {}).find(([, file]) => file === original)?.[0];
  if (!tray || key === undefined) return;
  const { [key]: _, ...originals } = tray.originals;
  putTray(id, { originals });
  const chip = tray.chips.find((c) => c.preview === key);
  const block = draftOf(id).files?.find((f) => f.file === key);
  if (chip) removeChip(chip.key);
  if (block) detach(id, draftOf(id), block, (draft) => keepDraft(id, draft));
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
  if (isComing(tray)) return;
  putTray(id, { armed: false });
  void send(id, draftOf(id)).catch((error) =>
    toast(i18next.t(`errors:${asAppError(error).code}` as 'errors:internal')),
  );
}
