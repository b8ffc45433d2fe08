/** Operations of conversations that the generated contract does not name yet; each moves to `client` when it does. */
import { ask, client } from '~/api/client';
import type { Body, Conversation, Forwarded, Page, Sent, Uuid } from '~/api/types';
import type { PersonMarks } from '~/ui/Marks';

interface Loose {
  request(method: string, path: string, init: { body?: unknown }): Parameters<typeof ask>[0];
}

function call<T>(method: 'get' | 'post' | 'put' | 'delete', path: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { body };
  return ask((client as unknown as Loose).request(method, path, init)) as Promise<T>;
}

/** Whether the server at hand sends messages on: one that knows 收到 does, and says so of every conversation. */
export const forwards = (c: Conversation | undefined): boolean => c?.can.ask_ack !== undefined;

export interface Forwarding {
  client_id: Uuid;
  seqs: readonly number[];
  to: readonly Uuid[];
  combined?: boolean;
  /** The person was told that there are people from outside, and sends all the same. */
  outside_confirmed?: boolean;
}

export const forward = (id: Uuid, forwarding: Forwarding) =>
  call<{ items: { conversation: Uuid; sent: Sent[] }[] }>('post', `/conversations/${id}/forward`, forwarding);

export interface ForwardedMessage {
  sender: { kind: string; id: Uuid };
  name: string;
  sent_at: number;
  body: Body;
  forwarded?: Forwarded;
}

export const listForwarded = (id: Uuid, seq: number) =>
  call<{ items: ForwardedMessage[] }>('get', `/conversations/${id}/messages/${seq}/forwarded`);

export const acknowledge = (id: Uuid, seq: number, on: boolean) =>
  call<{ count: number; me: boolean }>(on ? 'put' : 'delete', `/conversations/${id}/messages/${seq}/ack`);

export interface Acks extends Page<PersonMarks & { user: Uuid; name: string }> {
  done: number;
  missing: number;
}

export const listAcks = (id: Uuid, seq: number, state: 'done' | 'missing', cursor: string | undefined) =>
  call<Acks>(
    'get',
    `/conversations/${id}/messages/${seq}/acks?state=${state}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
  );
