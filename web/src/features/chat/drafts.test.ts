import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi } from '~/api/testing';
import { draftArrived, forgetDrafts, keepDraft, noticeDrafts } from './drafts';
import { chat, forgetChat, putConversations } from './store';
import { conversation } from './testing';

let api: ReturnType<typeof fakeApi>;

beforeEach(() => {
  vi.useFakeTimers();
  forgetChat();
  forgetDrafts();
  api = fakeApi();
  api.on('put', '/conversations/{id}/draft', () => ({}) as never);
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
  noticeDrafts([conversation({ draft: '在手机上写的' })]);
  expect(text()).toBe('在手机上写的');
});
