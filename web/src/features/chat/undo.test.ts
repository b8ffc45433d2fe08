import { beforeEach, expect, test } from 'vitest';
import { fakeApi } from '~/api/testing';
import { session } from '~/core/store/session';
import { forgetDrafts, keepDraft } from './drafts';
import { setServices } from './live';
import { chat, forgetChat, putConversations, putHistory } from './store';
import { conversation, ME, message } from './testing';
import { arrived, canUndo, offerUndo, undo } from './undo';

const removed: string[] = [];
let api: ReturnType<typeof fakeApi>;

beforeEach(() => {
  forgetChat();
  forgetDrafts();
  removed.length = 0;
  api = fakeApi();
  session.setState({ me: { id: ME, name: 'Me', kind: 'person', created_at: 0 } });
  setServices({ outbox: { remove: async (id: string) => void removed.push(id) } } as never);
  putConversations([conversation({ undo_ms: 5_000 })], 'server');
});

const paths = () => api.calls.map((c) => `${c.method} ${c.path.replace('/api/v1/conversations/c/messages/', '')}`);
const draft = { text: '发错了', picks: [] };

test('where nothing can be undone there is no button', () => {
  putConversations([conversation({ id: 'd', undo_ms: 0 })]);
  offerUndo('d', 'x', draft);
  expect(canUndo('d')).toBe(false);
});

test('what the server has is undone there, and stands in the composer before what was begun since', async () => {
  const now = Date.now();
  const mine = message(1, { sender: { kind: 'person', id: ME }, client_id: 'x' });
  const head = { seq: 1, n: 1, rev: 1, mention_all_n: 0, changed_at: now };
  putHistory('c', { items: [mine], rev: 1, head }, { from: 1, to: 1 });
  api.on('post', '/conversations/{id}/messages/{seq}/recall', () => mine as never);
  offerUndo('c', 'x', draft);
  arrived('c', 'x', 1, now);
  keepDraft('c', { text: '下一句', picks: [] });
  // The path is not in the generated contract of every server yet.
  api.on(
    'post',
    '/conversations/{id}/messages/{seq}/undo' as '/conversations/{id}/messages/{seq}/recall',
    () => mine as never,
  );
  await undo();
  expect(paths()).toEqual(['POST 1/undo']);
  expect(chat.getState().drafts.c?.text).toBe('发错了\n下一句');
  expect(chat.getState().timelines.c?.segments[0]?.messages[0]?.undone).toBe(true);
  expect(canUndo('c')).toBe(false);
});

test('too late to leave no trace, it is recalled', async () => {
  const address = '/conversations/{id}/messages/{seq}/undo' as '/conversations/{id}/messages/{seq}/recall';
  api.refuse('post', address, 'undo_window_closed', 409);
  api.on('post', '/conversations/{id}/messages/{seq}/recall', () => message(1) as never);
  offerUndo('c', 'x', draft);
  arrived('c', 'x', 1, Date.now());
  await undo();
  expect(paths()).toEqual(['POST 1/undo', 'POST 1/recall']);
});

test('what was still on its way leaves the outbox, and is undone if it had left after all', async () => {
  const address = '/conversations/{id}/messages/{seq}/undo' as '/conversations/{id}/messages/{seq}/recall';
  api.on('post', address, () => message(4) as never);
  offerUndo('c', 'x', draft);
  await undo();
  expect(removed).toEqual(['x']);
  expect(chat.getState().drafts.c?.text).toBe('发错了');
  expect(paths()).toEqual([]);
  arrived('c', 'x', 4, Date.now());
  await expect.poll(paths).toEqual(['POST 4/undo']);
});
