/**
 * The service worker: keeps the files the client is made of, so that it opens without a network. It knows nothing of
 * `/api` and `/f`: what people write is kept by `core/db`, under the person's name.
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
