// What the service worker does with what is pushed while no page is there.
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';

vi.mock('workbox-precaching', () => ({
  cleanupOutdatedCaches: () => {},
  createHandlerBoundToURL: () => () => {},
  matchPrecache: () => undefined,
  precacheAndRoute: () => {},
}));
vi.mock('workbox-routing', () => ({ NavigationRoute: class {}, registerRoute: () => {} }));
vi.mock('workbox-strategies', () => ({ CacheFirst: class {} }));

interface Shown {
  tag: string;
  body: string;
  silent: boolean;
  close: () => void;
}

/** What a browser shows, and everything it was asked to do, in that order. */
let standing: Shown[] = [];
let asked: string[] = [];

const registration = {
  showNotification(_title: string, { tag, body, silent = false }: { tag: string; body: string; silent?: boolean }) {
    const shown: Shown = {
      tag,
      body,
      silent,
      close: () => {
        asked.push(`close ${tag}`);
        standing = standing.filter((other) => other !== shown);
      },
    };
    asked.push(`show ${tag} ${body}${silent ? ' silently' : ''}`);
    standing = [...standing.filter((other) => other.tag !== tag), shown];
    return Promise.resolve();
  },
  getNotifications: ({ tag }: { tag?: string } = {}) =>
    Promise.resolve(standing.filter((shown) => !tag || shown.tag === tag)),
};

beforeAll(async () => {
  Object.assign(self, { registration });
  // A variable: the worker has types of its own, which a page does not have.
  const worker = './sw.ts';
  await import(/* @vite-ignore */ worker);
});

beforeEach(() => {
  standing = [];
  asked = [];
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(null, { status: 204 })));
});

async function push(message: object): Promise<void> {
  const waits: Promise<unknown>[] = [];
  const event = Object.assign(new Event('push'), {
    data: { json: () => ({ v: 1, notice: 'n', badge: 1, open: ['c'], more: false, test: false, ...message }) },
    waitUntil: (work: Promise<unknown>) => waits.push(work),
  });
  self.dispatchEvent(event);
  await Promise.all(waits);
}

const says = (text: string) => [{ conversation: 'c', title: '张伟', text }];

it('changes in its place, and without a sound, what was taken back', async () => {
  await push({ items: says('the wrong window') });
  await push({ items: says('撤回了一条消息'), withdrawn: true });
  expect(asked).toEqual(['show magpie:c the wrong window', 'show magpie:c 撤回了一条消息 silently']);
  expect(standing.map((shown) => shown.body)).toEqual(['撤回了一条消息']);
});

// Browsers, and iPhones at once, end the subscription of whoever is woken up and shows nothing.
// Seen to fail: with nothing shown where nothing stood.
it('shows something whenever it is woken up, and leaves nothing where nothing stood', async () => {
  await push({ items: says('撤回了一条消息'), withdrawn: true });
  expect(asked).toEqual(['show magpie:c 撤回了一条消息 silently', 'close magpie:c']);
  expect(standing).toEqual([]);
});

it('takes away what was read elsewhere, but not where it does not know the whole list', async () => {
  await push({ items: [{ conversation: 'b', title: 'b', text: 'b' }], open: ['b'] });
  await push({ items: says('one'), open: ['c'], more: true });
  expect(standing.map((shown) => shown.tag)).toEqual(['magpie:b', 'magpie:c']);
  await push({ items: says('two'), open: ['c'] });
  expect(standing.map((shown) => shown.tag)).toEqual(['magpie:c']);
});
