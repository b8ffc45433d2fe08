/** Finding, forwarding and 收到. */
import { ask, client } from '~/api/client';
import type { components } from '~/api/schema';
import type { Uuid } from '~/api/types';

export type Forwarding = components['schemas']['chat.NewForward'];
export type FoundMessages = components['schemas']['chat.FoundMessages'];
export type FoundMessage = components['schemas']['chat.FoundMessage'];
export type ForwardedMessage = components['schemas']['chat.RecordItem'];

/** Messages that hold a text, newest first, before a place. */
export const searchMessages = (id: Uuid, text: string, before: number | undefined, signal: AbortSignal) =>
  ask(
    client.GET('/conversations/{id}/messages/search', {
      params: { path: { id }, query: { text, ...(before !== undefined && { before }) } },
      signal,
    }),
  );

export const forward = (id: Uuid, forwarding: Forwarding) =>
  ask(client.POST('/conversations/{id}/forward', { params: { path: { id } }, body: forwarding }));

export const listForwarded = (id: Uuid, seq: number) =>
  ask(client.GET('/conversations/{id}/messages/{seq}/forwarded', { params: { path: { id, seq } } }));

export function acknowledge(id: Uuid, seq: number, on: boolean) {
  const path = '/conversations/{id}/messages/{seq}/ack';
  const params = { path: { id, seq } };
  return ask(on ? client.PUT(path, { params }) : client.DELETE(path, { params }));
}

export const listAcks = (id: Uuid, seq: number, state: 'done' | 'missing', cursor: string | undefined) =>
  ask(
    client.GET('/conversations/{id}/messages/{seq}/acks', {
      params: { path: { id, seq }, query: { state, ...(cursor && { cursor }) } },
    }),
  );
