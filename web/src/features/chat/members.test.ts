import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ConversationMember } from '~/api/types';
import { session } from '~/core/store/session';
import { type ChatServices, conversationHandler, setServices } from './live';
import { showMembers } from './members';
import { chat, forgetChat, putConversations, setMembers } from './store';
import { conversation, ME } from './testing';

const { GET } = vi.hoisted(() => ({ GET: vi.fn() }));
vi.mock('~/api/client', async (real) => ({
  ...(await real<object>()),
  client: { GET },
  ask: async (answer: Promise<unknown>) => answer,
}));
vi.mock('~/core/store/people', async (real) => ({ ...(await real<object>()), wantPeople: () => undefined }));

const one = (user: string, more = {}): ConversationMember => ({
  user,
  name: user,
  role: 'member',
  joined_seq: 0,
  left: false,
  ...more,
});
const comes = (user: string, rev: number) =>
  conversationHandler.apply('c', rev, [{ kind: 'member', user, role: 'member', joined_seq: 1, left: false }]);
const marks = () => chat.getState().members.c?.map((m) => [m.user, m.external ?? false]);
let hide = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  forgetChat();
  GET.mockReset().mockImplementation(async () => ({ items: [one(ME), one('out', { external: true })] }));
  session.setState({ me: { id: ME, name: 'Me', kind: 'person', created_at: 0 } });
  setServices({ realtime: { catchUp: vi.fn() }, cursors: { move: vi.fn() } } as unknown as ChatServices);
  putConversations([conversation({ head: { seq: 0, n: 0, rev: 1, mention_all_n: 0, changed_at: 1 } })]);
  setMembers('c', [one(ME)]);
});

afterEach(() => {
  hide();
  vi.useRealTimers();
});

test('whoever joins what one looks at gets their marks, by one reading for all who come together', async () => {
  hide = showMembers('c');
  comes('out', 2);
  comes('other', 3);
  expect(marks()?.map(([user]) => user)).toEqual([ME, 'out', 'other']);
  await vi.runAllTimersAsync();
  expect(marks()).toEqual([
    [ME, false],
    ['out', true],
  ]);
  expect(GET).toHaveBeenCalledTimes(1);
});

test('where nobody looks, the list is read when it is opened', async () => {
  comes('out', 2);
  expect(chat.getState().members.c).toBeUndefined();
  await vi.runAllTimersAsync();
  expect(GET).not.toHaveBeenCalled();
});

test('who leaves, or had been there, costs no reading', async () => {
  hide = showMembers('c');
  comes(ME, 2);
  conversationHandler.apply('c', 3, [{ kind: 'member', user: ME, role: 'member', joined_seq: 1, left: true }]);
  await vi.runAllTimersAsync();
  expect(GET).not.toHaveBeenCalled();
});

test('a list that was on its way when somebody came is read once more', async () => {
  hide = showMembers('c');
  comes('out', 2);
  let answer: (page: object) => void = () => {};
  GET.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  await vi.runAllTimersAsync();
  comes('late', 3);
  answer({ items: [one(ME)] });
  GET.mockImplementation(async () => ({ items: [one(ME), one('late', { external: true })] }));
  await vi.runAllTimersAsync();
  expect(marks()).toEqual([
    [ME, false],
    ['late', true],
  ]);
});
