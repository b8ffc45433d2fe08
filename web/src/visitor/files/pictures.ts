/**
 * Pictures of a conversation that no cookie opens: fetched with the token and shown from memory. No browser keeps them, as
 * the device may be anybody's.
 */
import { AppError } from '~/api/client';
import { pictureUrl } from '~/core/files/api';
import { bearer } from '../api';

export type Side = 320 | 1600;

/** Held at a time: small ones are small, large ones are not. */
const MOST: Record<Side, number> = { 320: 200, 1600: 16 };
const TRIES = 4;
/** Whatever still shows a picture that is let go of has read it by then. */
const READ_MS = 60_000;
const MOST_WAIT_MS = 10_000;

const held: Record<Side, Map<string, Promise<string>>> = { 320: new Map(), 1600: new Map() };

export function picture(file: string, side: Side): Promise<string> {
  const known = held[side].get(file);
  // Looked at again: it is the last that goes.
  held[side].delete(file);
  const url = known ?? load(file, side);
  held[side].set(file, url);
  url.catch(() => (held[side].get(file) === url ? held[side].delete(file) : undefined));
  const [oldest] = held[side].keys();
  if (held[side].size > MOST[side] && oldest !== undefined) drop(oldest, side, READ_MS);
  return url;
}

function drop(file: string, side: Side, after: number): void {
  const url = held[side].get(file);
  held[side].delete(file);
  void url?.then(
    (made) => setTimeout(() => URL.revokeObjectURL(made), after),
    () => undefined,
  );
}

export function dropPictures(): void {
  for (const side of [320, 1600] as const) for (const file of [...held[side].keys()]) drop(file, side, 0);
}

async function load(file: string, side: Side): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(pictureUrl(file, side), {
      headers: bearer(),
      credentials: 'omit',
      cache: 'no-store',
    }).catch(() => undefined);
    const bytes = answer?.ok ? await answer.blob().catch(() => undefined) : undefined;
    if (bytes) return URL.createObjectURL(bytes);
    const error = new AppError(answer && answer.status < 500 ? 'not_found' : 'network', answer?.status ?? 0);
    if (answer?.status !== 429 || tries >= TRIES) throw error;
    // Many were asked for at once: a little later.
    const after = Number(answer.headers.get('Retry-After')) * 1_000;
    await new Promise((done) => setTimeout(done, Math.min(MOST_WAIT_MS, after > 0 ? after : 1_000 * tries)));
  }
}

/** Whether it will never be seen again, or not just now. */
export const isGone = (error: unknown): boolean =>
  error instanceof AppError && (error.status === 403 || error.status === 404 || error.status === 410);
