import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '~/api/client';
import type { Sent } from '~/api/types';
import { memoryOutboxStore, openOutboxStore } from './db';
import { Outbox, type OutboxRow, type OutboxStore } from './outbox';

const row = (id: string, conversation = 'c') => ({
  client_id: id,
  conversation,
  body: { kind: 'blocks' as const, blocks: [{ type: 'text' as const, text: id }] },
  mentions: [],
  mention_all: false,
  created_at: 1,
});

const refusal = new AppError('message_empty', 422, { status: 422, code: 'message_empty' });

interface Setup {
  store?: OutboxStore;
  send?: (row: OutboxRow) => Promise<Sent>;
}

function setup({ store = memoryOutboxStore(), send }: Setup = {}) {
  let rows: OutboxRow[] = [];
  const sent: string[] = [];
  const outbox = new Outbox({
    store,
    send: async (r) => {
      const answer = send ? await send(r) : { seq: 1, n: 1, rev: 1, sent_at: 1, client_id: r.client_id };
      sent.push(r.client_id);
      return answer;
    },
    changed: (r) => {
      rows = r;
    },
    wrote: () => {},
    acknowledged: () => {},
    random: () => 1,
  });
  return { outbox, sent, rows: () => rows, store };
}

const acknowledged = (r: OutboxRow): Sent => ({ seq: 1, n: 1, rev: 1, sent_at: 1, client_id: r.client_id });

describe('outbox', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('writes before it sends, and forgets only what was acknowledged', async () => {
    const store = memoryOutboxStore();
    let kept: OutboxRow[] = [];
    const { outbox, sent } = setup({
      store,
      send: async (r) => {
        kept = await store.all();
        return acknowledged(r);
      },
    });
    outbox.run();
    await outbox.add(row('1'));
    await vi.advanceTimersByTimeAsync(0);
    expect(kept.map((r) => r.client_id)).toEqual(['1']);
    expect(sent).toEqual(['1']);
    expect(await store.all()).toEqual([]);
  });

  test('on doubt sends the same again, and nothing overtakes it', async () => {
    const tried: string[] = [];
    let down = true;
    const { outbox, sent } = setup({
      send: async (r) => {
        tried.push(r.client_id);
        if (down) throw new AppError('outcome_unknown', 503);
        return acknowledged(r);
      },
    });
    outbox.run();
    await outbox.add(row('1'));
    await outbox.add(row('2'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(new Set(tried)).toEqual(new Set(['1']));
    expect(tried.length).toBeGreaterThan(1);
    down = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual(['1', '2']);
  });

  test('a conversation that waits does not hold back another', async () => {
    const { outbox, sent } = setup({
      send: async (r) => {
        if (r.conversation === 'stuck') throw new AppError('network', 0);
        return acknowledged(r);
      },
    });
    outbox.run();
    await outbox.add(row('1', 'stuck'));
    await outbox.add(row('2', 'free'));
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toEqual(['2']);
  });

  test('a refusal is kept with its reason, lets the next pass, and can be tried again or deleted', async () => {
    let refuse = true;
    const { outbox, sent, rows } = setup({
      send: async (r) => {
        if (refuse && r.client_id === '1') throw refusal;
        return acknowledged(r);
      },
    });
    outbox.run();
    await outbox.add(row('1'));
    await outbox.add(row('2'));
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['2']);
    expect(rows().map((r) => r.failed?.code)).toEqual(['message_empty']);
    refuse = false;
    await outbox.retry('1');
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['2', '1']);
    refuse = true;
    await outbox.add(row('1'));
    await vi.advanceTimersByTimeAsync(0);
    await outbox.remove('1');
    expect(rows()).toEqual([]);
  });

  test('a rate limit and an ended session are no refusals', async () => {
    const { outbox, rows } = setup({
      send: async () => {
        throw new AppError('rate_limited', 429);
      },
    });
    outbox.run();
    await outbox.add(row('1'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rows().map((r) => r.failed)).toEqual([undefined]);
  });

  test('comes back live: what waits is sent at once', async () => {
    let down = true;
    const { outbox, sent } = setup({
      send: async (r) => {
        if (down) throw new AppError('network', 0);
        return acknowledged(r);
      },
    });
    outbox.run();
    await outbox.add(row('1'));
    await vi.advanceTimersByTimeAsync(30_000);
    down = false;
    outbox.nudge();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['1']);
  });
});

test('survives a reload, in order', async () => {
  const place = { host: 'example', person: crypto.getRandomValues(new Uint8Array(4)).join('') };
  const before = setup({ store: await openOutboxStore(place) });
  await before.outbox.add(row('b'));
  await before.outbox.add(row('a'));
  before.outbox.close();
  const after = setup({ store: await openOutboxStore(place) });
  await after.outbox.load();
  expect(after.rows().map((r) => r.client_id)).toEqual(['b', 'a']);
  expect(after.sent).toEqual([]);
  after.outbox.run();
  await vi.waitFor(() => expect(after.sent).toEqual(['b', 'a']));
});

describe('trouble', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a full device: the message is sent from memory, says so, and outlives a reading of the disk', async () => {
    const full = {
      ...memoryOutboxStore(),
      put: async () => Promise.reject(new DOMException('', 'QuotaExceededError')),
    };
    const { outbox, sent, rows } = setup({ store: full });
    await outbox.add(row('1'));
    expect(rows()[0]).toMatchObject({ client_id: '1', unkept: true });
    await outbox.load();
    expect(rows()).toHaveLength(1);
    outbox.run();
    await vi.advanceTimersByTimeAsync(10);
    expect(sent).toEqual(['1']);
    expect(rows()).toEqual([]);
  });

  test('a full server: the first row says why it waits, and goes by itself later', async () => {
    let room = false;
    const { outbox, rows, sent } = setup({
      send: async (r) => {
        if (!room) throw new AppError('storage_full', 507, { status: 507, code: 'storage_full' });
        return acknowledged(r);
      },
    });
    outbox.run();
    await outbox.add(row('1'));
    await outbox.add(row('2'));
    await vi.advanceTimersByTimeAsync(10);
    expect(rows().map((r) => r.waiting)).toEqual(['storage_full', undefined]);
    room = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual(['1', '2']);
  });
});
