/** Files on their way to the message of a guest: the app's own engine, under the guest's token, for this conversation alone. */
import type { AppError } from '~/api/client';
import { removeFile } from '~/core/files/api';
import { openShelf, type Shelf } from '~/core/files/shelf';
import { type Attached, Trays } from '~/core/files/tray';
import { bearer } from '../api';
import type { Kept } from '../kept';
import { FILES_OFF, mayAttach, readRights, talk } from '../talk';
import { tray } from '../tray';
import { dropPictures } from './pictures';

/** The most a guest may send at once; what the organisation sets below it is heard from the server. */
const FILE_BYTES = 100 * 1024 * 1024;
const NO_END = Number.MAX_SAFE_INTEGER;

interface Open {
  user: string;
  trays: Promise<Trays>;
  close(): void;
}

let open: Open | undefined;
let fileLimit = FILE_BYTES;

/** The chosen pictures themselves, until their message stands. */
const previews = new Map<string, string>();

export const previewOf = (file: string): string | undefined => previews.get(file);

function dropPreview(file: string): void {
  const preview = previews.get(file);
  // Whatever still shows it has read it by then.
  if (preview) setTimeout(() => URL.revokeObjectURL(preview), 60_000);
  previews.delete(file);
}

/** An organisation may allow less: known from its first refusal, and said of the next before a byte leaves. */
function learn(error: AppError | undefined): void {
  const { limit } = error?.context ?? {};
  if (error?.code === 'file_too_large' && typeof limit === 'number') fileLimit = Math.min(fileLimit, limit);
  if (error?.code === FILES_OFF && mayAttach(talk.getState())) void readRights();
}

function traysOn(shelf: Shelf | undefined, conversation: string): Trays {
  return new Trays(
    {
      chips(_, chips) {
        for (const chip of chips) learn(chip.error);
        const held = chips.some((c) => c.state === 'failed' || c.state === 'paused');
        tray.setState(({ armed, stuck }) => ({ chips, armed: armed && !held, stuck: stuck && held }));
      },
      ready(_, block, preview) {
        if (preview) previews.set(block.file, preview);
        // Twice is what another page of the same browser has too.
        tray.setState(({ ready }) => ({ ready: [...ready.filter((b) => b.file !== block.file), block] }));
      },
      refused: (_, name, why, limit) =>
        tray.setState(({ refused }) => ({ refused: [...refused, { name, why, limit }].slice(-3) })),
      // Whoever sends it is to have read this first.
      traced: (_, name) => tray.setState(({ traced }) => ({ traced: [...new Set([...traced, name])], armed: false })),
    },
    { headers: bearer, about: { conversation } },
    async () => ({ used: 0, limit: NO_END, file_limit: fileLimit }),
    shelf,
  );
}

async function begin(kept: Kept): Promise<Trays> {
  const shelf = await openShelf({ host: location.host, person: kept.user });
  return traysOn(shelf, kept.conversation);
}

/** The files of this guest; those of another are let go of. */
function traysOf(kept: Kept): Promise<Trays> {
  if (open?.user === kept.user) return open.trays;
  open?.close();
  const trays = begin(kept);
  const nudge = () => void trays.then((t) => t.nudge());
  const leave = (e: BeforeUnloadEvent) => {
    if (tray.getState().chips.length > 0) e.preventDefault();
  };
  addEventListener('online', nudge);
  addEventListener('beforeunload', leave);
  const off = talk.subscribe((now, was) => {
    if (now.connection === 'live' && was.connection !== 'live') nudge();
  });
  open = {
    user: kept.user,
    trays,
    close() {
      removeEventListener('online', nudge);
      removeEventListener('beforeunload', leave);
      off();
      void trays.then((t) => t.close());
      for (const file of [...previews.keys()]) dropPreview(file);
    },
  };
  return trays;
}

/** What an earlier page left behind goes on. */
export const goOn = async (kept: Kept): Promise<void> => (await traysOf(kept)).restore(kept.conversation);

export async function take(kept: Kept, files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  const there = tray.getState().ready.length;
  tray.setState({ refused: [], armed: false, stuck: false, ...(there > 0 ? {} : { traced: [] }) });
  await (await traysOf(kept)).take(kept.conversation, undefined, files, there);
}

const ask = (what: (trays: Trays) => void): void => void open?.trays.then(what);

export const pause = (key: number): void => ask((t) => t.pause(key));
export const resume = (key: number): void => ask((t) => t.resume(key));
export const removeChip = (key: number): void => ask((t) => t.remove(key));

/** Takes a file out of the message. Nobody has seen it: the server need not keep it either. */
export function detach(block: Attached): void {
  tray.setState(({ ready, traced }) => ({
    ready: ready.filter((b) => b.file !== block.file),
    traced: traced.filter((name) => name !== block.name),
  }));
  ask((t) => t.letGo([block.file]));
  dropPreview(block.file);
  void removeFile(block.file).catch(() => undefined);
}

/** Their message is in the outbox, which keeps it. */
export const sent = (files: readonly Attached[]): void => ask((t) => t.letGo(files.map((f) => f.file)));

/** Nothing of them stays in the page. */
export function letGoOfAll(): void {
  open?.close();
  open = undefined;
  dropPictures();
}
