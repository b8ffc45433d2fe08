/** Files on their way to the message of a guest: the app's own engine, under the guest's token, for this conversation alone. */
import type { AppError } from '~/api/client';
import { removeFile } from '~/core/files/api';
import { openShelf, type Shelf } from '~/core/files/shelf';
import { type Attached, MOST, Trays } from '~/core/files/tray';
import { isHeavy, lighter } from '~/core/photos';
import { bearer } from '../api';
import type { Kept } from '../kept';
import { FILES_OFF, mayAttach, readRights, talk } from '../talk';
import { isComing, tray } from '../tray';
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

/** The chosen pictures themselves, until others took their place. */
const previews = new Map<string, string>();

export const previewOf = (file: string): string | undefined => previews.get(file);

function keepPreview(file: string, preview: string): void {
  previews.set(file, preview);
  const [oldest] = previews.keys();
  if (previews.size > MOST && oldest !== undefined) dropPreview(oldest);
}

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
        if (preview) keepPreview(block.file, preview);
        // Twice is what another page of the same browser has too.
        tray.setState(({ ready }) => ({ ready: [...ready.filter((b) => b.file !== block.file), block] }));
      },
      refused: (_, name, why, limit) =>
        tray.setState(({ refused }) => ({ armed: false, refused: [...refused, { name, why, limit }].slice(-3) })),
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
    if (!isComing(tray.getState())) return;
    e.preventDefault();
    // Chrome heard nothing else before its version 119.
    e.returnValue = true;
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

/** Turns of choosing, so that what was chosen first stands first. */
let turn: Promise<unknown> = Promise.resolve();

/** Photographs go small and without what the camera wrote into them; `exact` as they are. */
export async function take(kept: Kept, files: readonly File[], exact = false): Promise<void> {
  if (files.length === 0) return;
  const heavy = exact ? [] : files.filter(isHeavy);
  tray.setState(({ ready, traced, preparing }) => ({
    refused: [],
    armed: false,
    stuck: false,
    traced: ready.length > 0 ? traced : [],
    preparing: preparing + heavy.length,
  }));
  const coming = traysOf(kept);
  const mine = open;
  turn = turn
    .catch(() => undefined)
    .then(async () => {
      const trays = await coming;
      for (const file of files) {
        const small = heavy.includes(file) && !isFull() ? await lighter(file) : file;
        // Whoever chose it may have left meanwhile.
        if (open !== mine) return;
        await trays.take(kept.conversation, undefined, [small], tray.getState().ready.length);
        if (open === mine && heavy.includes(file)) tray.setState(({ preparing }) => ({ preparing: preparing - 1 }));
      }
    });
  await turn;
}

function isFull(): boolean {
  const { ready, chips } = tray.getState();
  return ready.length + chips.length >= MOST;
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
