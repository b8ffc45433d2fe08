/** Finds out that the server has another build of the client, and reloads without losing anything. */
import { connection } from '~/core/store/connection';
import { device } from '~/core/store/device';

const EVERY_MS = 60 * 60_000;
const AGAIN_MS = 10 * 60_000;

/** The file a first page starts with; its name changes with every build. */
export function entryOf(html: string): string | undefined {
  return /<script[^>]*\ssrc="([^"]*\/assets\/[^"]+)"/.exec(html)?.[1];
}

/** Whether another build is there; undefined where the server did not answer or this page was not built. */
export async function isUpdated(): Promise<boolean | undefined> {
  const mine = entryOf(document.documentElement.outerHTML);
  if (!mine) return undefined;
  try {
    const response = await fetch('/', { cache: 'no-cache', credentials: 'same-origin' });
    const theirs = response.ok ? entryOf(await response.text()) : undefined;
    return theirs === undefined ? undefined : theirs !== mine;
  } catch {
    return undefined;
  }
}

let last = 0;

async function look(): Promise<void> {
  last = Date.now();
  if (await isUpdated()) device.setState({ update: true });
}

/** Looks when the connection came back, when the page is looked at again, and now and then. */
export function watchForUpdates(): void {
  let state = connection.getState().state;
  connection.subscribe((now) => {
    if (now.state === 'live' && state !== 'live' && state !== 'connecting') void look();
    state = now.state;
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - last > AGAIN_MS) void look();
  });
  setInterval(() => void look(), EVERY_MS);
  last = Date.now();
}

const RELOADED = 'magpie:reloaded';
const GUARD_MS = 60_000;

function mayReload(): boolean {
  try {
    if (Date.now() - Number(sessionStorage.getItem(RELOADED) ?? 0) < GUARD_MS) return false;
    sessionStorage.setItem(RELOADED, String(Date.now()));
    return true;
  } catch {
    // Without storage nothing would stop a second reload, so there is none.
    return false;
  }
}

/**
 * A file of this page is gone. Where a new build is the reason, one reload brings its files; where the network is, a
 * reload would only lose the page, and the screen says what to do.
 */
export async function missingFile(reload: () => void = () => location.reload()): Promise<boolean> {
  if ((await isUpdated()) !== true || !mayReload()) return false;
  reload();
  return true;
}
