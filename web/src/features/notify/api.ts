/** The ladder over the API, and what a browser needs to be one of its rungs. */
import { AppError, ask, client } from '~/api/client';
import type { components } from '~/api/schema';
import { uuidv7 } from '~/core/uuid';

type Schemas = components['schemas'];
export type Ladder = Schemas['notify.Ladder'];
export type Rung = Schemas['notify.Rung'];
export type NewRung = Schemas['notify.NewRung'];
export type RungPatch = Schemas['notify.RungPatch'];
export type Kind = Schemas['notify.RungKind'];
export type Shows = Schemas['notify.Shows'];

export const SHOWS: readonly Shows[] = ['full', 'sender', 'bare'];

const one = (id: string) => ({ params: { path: { id } } });

export const readLadder = (): Promise<Ladder> => ask(client.GET('/me/notifications'));
export const addRung = (body: NewRung): Promise<Rung> =>
  ask(client.POST('/me/notifications/rungs', { body, headers: { 'Idempotency-Key': uuidv7() } }));
export const changeRung = (id: string, body: RungPatch): Promise<Rung> =>
  ask(client.PATCH('/me/notifications/rungs/{id}', { ...one(id), body }));
export const removeRung = (id: string): Promise<unknown> => ask(client.DELETE('/me/notifications/rungs/{id}', one(id)));
export const testRung = (id: string): Promise<Rung> => ask(client.POST('/me/notifications/rungs/{id}/test', one(id)));

/** Verified addresses of one's own, of one kind. */
export async function ownAddresses(kind: 'email' | 'phone'): Promise<string[]> {
  const { items } = await ask(client.GET('/me/contacts'));
  return items.filter((c) => c.kind === kind && c.verified).map((c) => c.address);
}

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));

const base64url = (buffer: ArrayBuffer | null): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer ?? new ArrayBuffer(0))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** Whether this browser can be woken up at all. */
export const canPush = (): boolean => 'serviceWorker' in navigator && 'PushManager' in globalThis;

/** A push service may not answer for ever: many browsers in mainland China cannot reach theirs. */
const SUBSCRIBE_MS = 20_000;

/** Has this browser listened for pushes of this server; to be called after permission was given. */
export async function subscribe(key: string, label: string | undefined): Promise<Rung> {
  const wait = new Promise<never>((_, fail) =>
    setTimeout(() => fail(new AppError('push_unreachable', 0)), SUBSCRIBE_MS),
  );
  const found = await Promise.race([wait, subscription(key)]).catch(() => {
    throw new AppError('push_unreachable', 0);
  });
  return addRung({
    kind: 'web_push',
    address: found.endpoint,
    p256dh: base64url(found.getKey('p256dh')),
    auth: base64url(found.getKey('auth')),
    shows: 'full',
    ...(label ? { label } : {}),
  });
}

async function subscription(key: string): Promise<PushSubscription> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const before = await pushManager.getSubscription();
  // One made for another server's key wakes nobody.
  if (before && base64url(before.options.applicationServerKey) !== key) await before.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
}
