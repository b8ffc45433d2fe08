import { expect, test } from 'vitest';
import { fakeApi } from '~/api/testing';
import { acknowledge, forward, listAcks } from './api';

test('operations go to their addresses with their bodies', async () => {
  const api = fakeApi();
  const paths: [string, string][] = [
    ['post', '/conversations/{id}/forward'],
    ['put', '/conversations/{id}/messages/{seq}/ack'],
    ['get', '/conversations/{id}/messages/{seq}/acks'],
  ];
  // Not in the generated contract of every server yet.
  const on = api.on as unknown as (method: string, path: string, answer: () => unknown) => void;
  for (const [method, path] of paths) on(method, path, () => ({ items: [], count: 1, me: true }));
  const forwarding = { client_id: 'x', seqs: [1, 2], to: ['d'], combined: true };
  await forward('c', forwarding);
  expect(await acknowledge('c', 7, true)).toMatchObject({ count: 1, me: true });
  await listAcks('c', 7, 'missing', 'a b');
  expect(api.calls.map((c) => `${c.method} ${c.path}`)).toEqual([
    'POST /api/v1/conversations/c/forward',
    'PUT /api/v1/conversations/c/messages/7/ack',
    'GET /api/v1/conversations/c/messages/7/acks',
  ]);
  expect(api.calls[0]?.body).toEqual(forwarding);
  expect(Object.fromEntries(api.calls[2]?.query ?? [])).toEqual({ state: 'missing', cursor: 'a b' });
});
