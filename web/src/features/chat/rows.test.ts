import { expect, test } from 'vitest';
import { startMoved } from './parts/Timeline';
import { buildRows, GROUP_MS } from './rows';
import { ME, message } from './testing';

const at = (iso: string) => new Date(iso).getTime();
const input = { pending: [], me: ME, readTo: undefined };

test('groups one person within three minutes, not across days, people or system lines', () => {
  const t = at('2026-03-05T23:58:00');
  const rows = buildRows({
    ...input,
    messages: [
      message(1, { sent_at: t }),
      message(2, { sent_at: t + 60_000 }),
      message(3, { sent_at: t + 60_000, sender: { kind: 'person', id: 'bo' } }),
      message(4, { sent_at: t + 70_000, body: { kind: 'system', event: 'left', users: ['bo'] } }),
      message(5, { sent_at: t + 80_000, sender: { kind: 'person', id: 'bo' } }),
      message(6, { sent_at: t + 150_000, sender: { kind: 'person', id: 'bo' } }),
    ],
  });
  expect(rows.map((r) => r.grouped)).toEqual([false, true, false, false, false, false]);
  expect(rows.map((r) => r.closes)).toEqual([false, true, true, true, true, true]);
  expect(rows.map((r) => r.newDay)).toEqual([true, false, false, false, false, true]);
});

test('three minutes end a group', () => {
  const t = at('2026-03-05T12:00:00');
  const rows = buildRows({ ...input, messages: [message(1, { sent_at: t }), message(2, { sent_at: t + GROUP_MS })] });
  expect(rows[1]?.grouped).toBe(false);
});

test('the unread begin at the first message of others after what was read', () => {
  const mine = { sender: { kind: 'person' as const, id: ME } };
  const rows = buildRows({ ...input, readTo: 1, messages: [message(1), message(2, mine), message(3), message(4)] });
  expect(rows.map((r) => r.firstUnread)).toEqual([false, false, true, false]);
});

test('the unread divider stands nowhere while the first unread is before the run', () => {
  const rows = buildRows({ ...input, readTo: 1, messages: [message(7), message(8)] });
  expect(rows.some((r) => r.firstUnread)).toBe(false);
});

test('a message keeps its key when it is acknowledged, and never stands twice', () => {
  const pending = {
    client_id: 'x',
    conversation: 'c',
    order: 1,
    created_at: 1,
    body: { kind: 'blocks' as const, blocks: [] },
    mentions: [],
    mention_all: false,
  };
  const before = buildRows({ ...input, messages: [], pending: [pending] });
  const sent = message(1, { client_id: 'x', sender: { kind: 'person' as const, id: ME } });
  const after = buildRows({ ...input, messages: [sent], pending: [pending] });
  expect(after).toHaveLength(1);
  expect(after[0]?.key).toBe(before[0]?.key);
});

test('a client id of somebody else does not hide mine', () => {
  const a = message(1, { client_id: 'x', sender: { kind: 'person', id: 'ann' } });
  const b = message(2, { client_id: 'x', sender: { kind: 'person', id: 'bo' } });
  expect(new Set(buildRows({ ...input, messages: [a, b] }).map((r) => r.key)).size).toBe(2);
});

test('only changes at the start shift the list', () => {
  const rows = (from: number, to: number) =>
    buildRows({ ...input, messages: Array.from({ length: to - from + 1 }, (_, i) => message(from + i)) });
  expect(startMoved(rows(5, 9), rows(1, 9))).toBe(true);
  expect(startMoved(rows(1, 9), rows(5, 9))).toBe(true);
  expect(startMoved(rows(5, 9), rows(5, 12))).toBe(false);
  expect(startMoved(rows(5, 9), rows(50, 60))).toBe(false);
});
