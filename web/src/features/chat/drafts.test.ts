import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi } from '~/api/testing';
import { draftArrived, dropOther, forgetDrafts, keepDraft, noticeDrafts, takeOther } from './drafts';
import { chat, forgetChat, putConversations } from './store';
import { conversation } from './testing';

let api: ReturnType<typeof fakeApi>;

beforeEach(() => {
  vi.useFakeTimers();
  forgetChat();
  forgetDrafts();
  api = fakeApi();
  let rev = 0;
  api.on('put', '/conversations/{id}/draft', () => ({ rev: ++rev }) as never);
  putConversations([conversation()], 'server');
});
afterEach(() => void vi.useRealTimers());

const text = () => chat.getState().drafts.c?.text;
const told = () => api.calls.map((c) => (c.body as { text: string }).text);

test('is told once the hand rests, and emptied when the message is sent', async () => {
  keepDraft('c', { text: '你', picks: [] });
  keepDraft('c', { text: '你好', picks: [] });
  await vi.advanceTimersByTimeAsync(2_100);
  keepDraft('c', { text: '', picks: [] });
  await vi.advanceTimersByTimeAsync(2_100);
  expect(told()).toEqual(['你好', '']);
});

test('what arrives does not overwrite words not told yet, nor the names picked in them', async () => {
  const picks = [{ user: 'u', name: '张伟' }];
  keepDraft('c', { text: '@张伟 新', picks });
  draftArrived('c', '旧');
  expect(text()).toBe('@张伟 新');
  await vi.advanceTimersByTimeAsync(2_100);
  draftArrived('c', '@张伟 新');
  expect(chat.getState().drafts.c?.picks).toEqual(picks);
  draftArrived('c', '另一台设备写的');
  expect(text()).toBe('另一台设备写的');
});

test('a draft of another device stands in the list just read', () => {
  noticeDrafts([conversation({ draft: '在手机上写的', draft_rev: 1 })]);
  expect(text()).toBe('在手机上写的');
});

test('both wrote while apart: one stands, the other is offered, and can be taken', async () => {
  keepDraft('c', { text: '在电脑上写的', picks: [] });
  draftArrived('c', '在手机上写的', 4);
  expect(chat.getState().drafts.c).toMatchObject({ text: '在电脑上写的', other: '在手机上写的' });
  takeOther('c');
  expect(chat.getState().drafts.c).toMatchObject({ text: '在手机上写的', other: '在电脑上写的' });
  dropOther('c');
  expect(chat.getState().drafts.c?.other).toBeUndefined();
});

test('what only goes on from the other side needs no question', () => {
  keepDraft('c', { text: '明天', picks: [] });
  draftArrived('c', '明天下午三点', 2);
  expect(chat.getState().drafts.c).toMatchObject({ text: '明天下午三点' });
  keepDraft('c', { text: '明天下午三点见', picks: [] });
  draftArrived('c', '', 3);
  expect(text()).toBe('明天下午三点见');
  expect(chat.getState().drafts.c?.other).toBeUndefined();
});

test('the server refuses a write from an old base: its text is offered, and ours goes there after all', async () => {
  putConversations([conversation({ draft_rev: 0 })], 'server');
  api.refuse('put', '/conversations/{id}/draft', 'draft_conflict', 409);
  keepDraft('c', { text: '我这边', picks: [] });
  await vi.advanceTimersByTimeAsync(2_100);
  expect(api.calls[0]?.body).toEqual({ text: '我这边', base: 0 });
  draftArrived('c', '那一边', 5);
  expect(chat.getState().drafts.c).toMatchObject({ text: '我这边', other: '那一边', base: { rev: 5 } });
  api.on('put', '/conversations/{id}/draft', () => ({ rev: 6 }) as never);
  await vi.advanceTimersByTimeAsync(2_100);
  expect(api.calls[api.calls.length - 1]?.body).toEqual({ text: '我这边', base: 5 });
  expect(chat.getState().drafts.c?.base).toEqual({ text: '我这边', rev: 6 });
});

test('what never arrived is told when the list is read again', async () => {
  api.refuse('put', '/conversations/{id}/draft', 'overloaded', 503);
  keepDraft('c', { text: '没网时写的', picks: [] });
  await vi.advanceTimersByTimeAsync(2_100);
  noticeDrafts([conversation()]);
  expect(text()).toBe('没网时写的');
  await vi.advanceTimersByTimeAsync(2_100);
  expect(told()).toEqual(['没网时写的', '没网时写的']);
});
