import { expect, test } from 'vitest';
import type { ConversationStreamEvent } from '~/api/events';
import type { Conversation, Message } from '~/api/types';
import { codeOf } from './kept';
import { put, reduce, type Talk, talk } from './talk';

const message = (seq: number, text: string, more: Partial<Message> = {}): Message => ({
  seq,
  n: seq,
  rev: seq,
  client_id: null,
  sender: { kind: 'person', id: 'host' },
  sent_at: seq,
  body: { kind: 'blocks', blocks: [{ type: 'text', text }] },
  mentions: [],
  mention_all: false,
  reply_to: null,
  edited_at: null,
  recalled_at: null,
  countable: true,
  ...more,
});

const event = (m: Message) => ({ kind: 'message', ...m }) as unknown as ConversationStreamEvent;

const held: Talk = {
  ...talk.getState(),
  state: 'ready',
  conversation: { id: 'c', head: { rev: 7, seq: 3 } } as unknown as Conversation,
  messages: [message(2, 'a'), message(3, 'b')],
  members: { host: { name: 'Bob' }, other: { name: 'Carol' } },
  read: { host: 2, other: 3 },
};

test('a row takes the place of the old one, and an older row does not', () => {
  const edited = message(3, 'b edited', { rev: 9 });
  expect(put([message(2, 'a'), message(3, 'b')], [edited])).toEqual([message(2, 'a'), edited]);
  expect(put([edited], [message(3, 'b')])).toEqual([edited]);
  expect(put([message(3, 'b')], [message(2, 'a')]).map((m) => m.seq)).toEqual([2, 3]);
});

test('events bring the state to their rev; what lies before the first message held comes with its page', () => {
  const next = reduce(held, 8, [event(message(1, 'old, edited', { rev: 8 })), event(message(4, 'new', { rev: 8 }))]);
  expect(next.messages.map((m) => m.seq)).toEqual([2, 3, 4]);
  expect(next.conversation?.head.rev).toBe(8);
  expect(reduce(next, 8, [event(message(4, 'new', { rev: 8 }))]).messages).toEqual(next.messages);
});

test('who left is neither named nor waited for', () => {
  const left = { kind: 'member', user: 'other', left: true } as unknown as ConversationStreamEvent;
  const next = reduce(held, 8, [left]);
  expect([Object.keys(next.members), Object.keys(next.read)]).toEqual([['host'], ['host']]);
});

test('a code is read as people type and scanners hand it on', () => {
  expect(codeOf('/g/0123-4567-89AB-cdef')).toBe('0123456789abcdef');
  expect(codeOf('/g/0123456789abcdef/')).toBe('0123456789abcdef');
  expect(codeOf('/g/')).toBe('');
});
