/**
 * The service worker: keeps the files the client is made of, so that it opens without a network, and shows what the
 * server pushes while no page is there. It keeps nothing of `/api` and `/f`: what people write is kept by `core/db`, under
 * the person's name.
 *
 * A new version waits until somebody asks for it: files are never exchanged under a page that is in use.
 */
import { cleanupOutdatedCaches, createHandlerBoundToURL, matchPrecache, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { CacheFirst } from 'workbox-strategies';

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] };

/** What was used but does not come with the first visit: other languages, heavy parts. */
const USED = 'magpie-used';
const OWN = '/assets/';

cleanupOutdatedCaches();
precacheAndRoute(self.__WB_MANIFEST);
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith(OWN),
  // Only answers with 200 are kept: a file of an older build that is gone stays 404.
  new CacheFirst({ cacheName: USED }),
);
registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: [/^\/(api|f|g)(\/|$)/] }));

self.addEventListener('activate', (event) => {
  event.waitUntil(caches.delete(USED));
});

type Message = { type: 'activate' } | { type: 'keep'; paths: string[] };

self.addEventListener('message', (event) => {
  const message = event.data as Message;
  if (message.type === 'activate') void self.skipWaiting();
  if (message.type === 'keep') event.waitUntil(keep(message.paths));
});

/** The page loaded these before this worker could see it. */
async function keep(paths: string[]): Promise<void> {
  const cache = await caches.open(USED);
  for (const path of paths) {
    if (!path.startsWith(OWN) || (await matchPrecache(path)) || (await cache.match(path))) continue;
    await cache.add(path).catch(() => undefined);
  }
}

/** What the server pushes, readable to this browser alone (`crates/modules/notify/src/rungs/web_push.rs`). */
interface Push {
  v: 1;
  /** Acknowledged by this. */
  notice: string;
  /** The number on the icon. */
  badge: number;
  items: { conversation: string; title: string; text: string }[];
  /** All conversations that wait; `more` if it is not the whole list. */
  open: string[];
  more: boolean;
  test: boolean;
  /** A message was taken back: what stands of its conversation is changed, nothing is told. */
  withdrawn?: boolean;
}

self.addEventListener('push', (event) => {
  const push = read(event.data);
  if (push) event.waitUntil(show(push));
});

function read(data: PushMessageData | null): Push | undefined {
  try {
    const push = data?.json() as Push | undefined;
    return push?.v === 1 ? push : undefined;
  } catch {
    return undefined;
  }
}

const tagOf = (conversation: string) => `magpie:${conversation}`;

async function show(push: Push): Promise<void> {
  if (push.withdrawn) return change(push);
  // A browser takes the permission away from whoever is woken up and shows nothing.
  for (const { conversation, title, text } of push.items) {
    const options = {
      body: text,
      tag: push.test ? 'magpie:test' : tagOf(conversation),
      icon: '/icons/192.png',
      data: { conversation: push.test ? undefined : conversation },
      // One that takes the place of another rings too.
      renotify: true,
    };
    await self.registration.showNotification(title, options);
  }
  await setBadge(push.badge);
  if (push.test) return;
  await acknowledge(push.notice);
  if (push.more) return;
  const waits = new Set(push.open.map(tagOf));
  // What was read elsewhere.
  for (const shown of await self.registration.getNotifications()) {
    if (shown.tag.startsWith('magpie:') && shown.tag !== 'magpie:test' && !waits.has(shown.tag)) shown.close();
  }
}

/**
 * In place and without a sound. Where nothing stands any more it is shown too and closed at once: a browser ends the
 * subscription of whoever is woken up and shows nothing, or shows a notice of its own.
 */
async function change(push: Push): Promise<void> {
  for (const { conversation, title, text } of push.items) {
    const tag = tagOf(conversation);
    const stood = (await self.registration.getNotifications({ tag })).length > 0;
    const options = { body: text, tag, icon: '/icons/192.png', data: { conversation }, silent: true };
    await self.registration.showNotification(title, options);
    if (stood) continue;
    for (const shown of await self.registration.getNotifications({ tag })) shown.close();
  }
  await setBadge(push.badge);
}

async function setBadge(count: number): Promise<void> {
  const icon = navigator as { setAppBadge?: (count: number) => Promise<void>; clearAppBadge?: () => Promise<void> };
  await (count > 0 ? icon.setAppBadge?.(count) : icon.clearAppBadge?.())?.catch(() => undefined);
}

/** This device has it: the rungs above need not tell it. */
async function acknowledge(notice: string): Promise<void> {
  const headers = { 'X-Magpie-CSRF': '1', 'Magpie-Api-Level': '1' };
  const path = `/api/v1/me/notifications/${encodeURIComponent(notice)}/ack`;
  await fetch(path, { method: 'POST', credentials: 'same-origin', headers }).catch(() => undefined);
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { conversation } = (event.notification.data ?? {}) as { conversation?: string };
  event.waitUntil(open(conversation));
});

/** In a window that is there, else in a new one. */
async function open(conversation: string | undefined): Promise<void> {
  const path = conversation ? `/chat/${encodeURIComponent(conversation)}` : '/';
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const found = windows.find((w) => w.visibilityState === 'visible') ?? windows[0];
  if (!found) {
    await self.clients.openWindow(path);
    return;
  }
  found.postMessage({ type: 'open', path });
  await found.focus().catch(() => undefined);
}
