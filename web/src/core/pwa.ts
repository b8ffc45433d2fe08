/**
 * The page's side of the service worker: registers it where there is one, and says when a new version waits. Where there
 * is none (plain http on a LAN) all of this does nothing.
 */
import { createStore } from 'zustand/vanilla';
import { workerUrl } from './trusted';

/** Whether a newer version of the client is on the device and waits for a reload. */
export const updates = createStore<{ ready: boolean }>(() => ({ ready: false }));

const WORKER = '/sw.js';
const LOOK_AGAIN_MS = 60 * 60_000;

const container = () => globalThis.navigator?.serviceWorker as ServiceWorkerContainer | undefined;

let registration: ServiceWorkerRegistration | undefined;
/** Asked for in this tab: it reloads once the new version is in charge. */
let asked = false;
/** Another tab asked: the files of this one may go at any time. */
let exchanged = false;

/** `open` leads to where a notification was about. */
export async function startPwa(open: (path: string) => void): Promise<void> {
  const workers = container();
  if (!workers || !import.meta.env.PROD) return;
  workers.addEventListener('message', ({ data }: MessageEvent<{ type?: string; path?: string } | undefined>) => {
    if (data?.type === 'open' && data.path?.startsWith('/')) open(data.path);
  });
  const controlled = Boolean(workers.controller);
  workers.addEventListener('controllerchange', () => {
    if (!controlled) return;
    if (asked) return location.reload();
    exchanged = true;
    updates.setState({ ready: true });
  });
  try {
    registration = await workers.register(workerUrl(WORKER), { updateViaCache: 'none' });
  } catch {
    // Forbidden by the browser or the disk is full: it runs from the network as before.
    return;
  }
  watch(registration);
  const ready = await workers.ready;
  ready.active?.postMessage({ type: 'keep', paths: used() });
}

function watch(found: ServiceWorkerRegistration): void {
  const look = () => {
    if (found.waiting && container()?.controller) updates.setState({ ready: true });
  };
  look();
  found.addEventListener('updatefound', () => found.installing?.addEventListener('statechange', look));
  let last = Date.now();
  document.addEventListener('visibilitychange', () => {
    // Nobody looks, and the files of this page may be gone already: what is typed is kept as a draft.
    if (document.hidden && exchanged) return location.reload();
    if (document.hidden || Date.now() - last < LOOK_AGAIN_MS) return;
    last = Date.now();
    found.update().catch(() => undefined);
  });
}

/** The own files this page has loaded so far. */
function used(): string[] {
  return performance
    .getEntriesByType('resource')
    .map(({ name }) => new URL(name))
    .filter((url) => url.origin === location.origin && url.pathname.startsWith('/assets/'))
    .map((url) => url.pathname);
}

/** Puts the waiting version in charge and reloads; to be called when the person says so. */
export function applyUpdate(): void {
  if (!registration?.waiting) return location.reload();
  asked = true;
  registration.waiting.postMessage({ type: 'activate' });
}

/** This device is told nothing any more: part of signing out. */
export async function endPush(): Promise<void> {
  try {
    const subscription = await registration?.pushManager?.getSubscription();
    await subscription?.unsubscribe();
  } catch {
    // No push here.
  }
}
