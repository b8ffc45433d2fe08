import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerMessage } from '~/api/events';
import { backoff } from './backoff';
import { message } from './binary.fixtures';
import { type ConnectionState, Socket } from './socket';

class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  binaryType = 'blob';
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  sent: Record<string, unknown>[] = [];
  closed: number | undefined;
  constructor() {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close(code: number) {
    this.closed = code;
  }
  open() {
    this.onopen?.();
  }
  say(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  drop(code: number, reason = '') {
    this.onclose?.({ code, reason });
  }
  welcome() {
    this.open();
    this.say({ t: 'welcome', api: 1, epoch: 'e', user: 'u', session: 's', server_time: Date.now(), ping_ms: 25_000 });
    this.say({ t: 'resumed', streams: 0 });
  }
}

const latest = () => FakeSocket.all[FakeSocket.all.length - 1] as FakeSocket;

function start(lives = true) {
  const states: ConnectionState[] = [];
  const got: ServerMessage[] = [];
  const socket = new Socket({
    url: 'ws://x',
    resume: () => undefined,
    receive: (m) => got.push(m),
    changed: (s) => states.push(s),
    sessionLives: async () => lives,
    create: () => new FakeSocket() as unknown as WebSocket,
    random: () => 1,
  });
  socket.start();
  return { socket, states, got };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => void vi.useRealTimers());

test('says hello first and is live once welcome has come', () => {
  const { socket, states } = start();
  latest().open();
  expect(latest().sent).toEqual([{ t: 'hello', api: 1, client: 'magpie-web' }]);
  expect(socket.send({ t: 'ping' })).toBe(false);
  latest().welcome();
  expect(states).toEqual(['live']);
});

test('pings in silence, and leaves a socket that is silent too long', async () => {
  const { states } = start();
  latest().welcome();
  const first = latest();
  await vi.advanceTimersByTimeAsync(25_000);
  expect(first.sent[first.sent.length - 1]).toEqual({ t: 'ping' });
  await vi.advanceTimersByTimeAsync(37_600);
  expect(first.closed).toBe(4408);
  expect(states).toEqual(['live', 'reconnecting']);
});

test('waits longer each time and starts over after resumed', async () => {
  start();
  latest().welcome();
  latest().drop(1006);
  await vi.advanceTimersByTimeAsync(499);
  expect(FakeSocket.all).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeSocket.all).toHaveLength(2);
  latest().drop(1006);
  await vi.advanceTimersByTimeAsync(999);
  expect(FakeSocket.all).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  latest().welcome();
  latest().drop(1012);
  await vi.advanceTimersByTimeAsync(500);
  expect(FakeSocket.all).toHaveLength(4);
});

test('the delay never exceeds thirty seconds and begins at nothing', () => {
  expect(backoff(30, () => 1)).toBe(30_000);
  expect(backoff(3, () => 0)).toBe(0);
});

test.each([
  [4400, 'refused'],
  [4401, 'ended'],
])('close code %i is not followed by another try', async (code, state) => {
  const { states } = start();
  latest().welcome();
  latest().drop(code as number);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(states[states.length - 1]).toBe(state);
});

test('too many sockets waits half a minute, admission waits what it says', async () => {
  start();
  latest().welcome();
  latest().drop(4429);
  await vi.advanceTimersByTimeAsync(29_999);
  expect(FakeSocket.all).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(600);
  latest().welcome();
  latest().drop(4503, '{"retry_after_ms":7000}');
  await vi.advanceTimersByTimeAsync(6_999);
  expect(FakeSocket.all).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeSocket.all).toHaveLength(3);
});

test('a refused upgrade of an ended session ends, of a living one tries again', async () => {
  const ended = start(false);
  latest().drop(1006);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ended.states).toEqual(['ended']);
  FakeSocket.all = [];
  start(true);
  latest().drop(1006);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.all.length).toBeGreaterThan(1);
});

test('hands on what it does not know and survives what it cannot read', () => {
  const { got } = start();
  latest().welcome();
  latest().onmessage?.({ data: 'no json' });
  latest().say({ t: 'something_new' });
  expect(got.map((m) => m.t)).toEqual(['welcome', 'resumed', 'something_new']);
});

test('a binary message is handed on with its bytes, and one that cannot be read is not', () => {
  const { got } = start();
  latest().welcome();
  expect(latest().binaryType).toBe('arraybuffer');
  latest().onmessage?.({ data: new ArrayBuffer(3) });
  latest().onmessage?.({ data: message({ t: 'passed', stream: 'conversation:c', user: 'u' }, [0, 255]) });
  const passed = { t: 'passed', stream: 'conversation:c', user: 'u', bytes: new Uint8Array([0, 255]) };
  expect(got.slice(2)).toEqual([passed]);
});
