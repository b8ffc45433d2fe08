import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { History } from '~/api/types';
import { session } from '~/core/store/session';
import {
  applyCursor,
  applyToConversation,
  type HeldConversation,
  listOrder,
  needsMe,
  reacted,
  refresh,
  type Timeline,
} from './events';
import { buildRows } from './rows';
import { applyEvents, chat, forgetChat, putConversations, putHistory, putTimeline } from './store';
import { conversation, ME, ModelServer, message, type Op, shared } from './testing';

beforeEach(() => {
  forgetChat();
  session.setState({ me: { id: ME, name: 'Me', kind: 'person', created_at: 0 } });
});

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('send' as const), by: fc.nat(2), mention: fc.boolean() }) },
  fc.record({ op: fc.constant('edit' as const), at: fc.nat(40) }),
  fc.record({ op: fc.constant('recall' as const), at: fc.nat(40) }),
  fc.record({ op: fc.constant('undo' as const), at: fc.nat(40) }),
  fc.record({
    op: fc.constant('react' as const),
    at: fc.nat(40),
    by: fc.nat(2),
    on: fc.boolean(),
    emoji: fc.constantFrom('👍', '🎉'),
  }),
  fc.record({ op: fc.constant('rename' as const), title: fc.string({ minLength: 1, maxLength: 5 }) }),
);

/** What happens to a frame on its way, and what the person does meanwhile. */
const fate = fc.constantFrom('arrives', 'arrives', 'arrives', 'lost', 'twice', 'late', 'page');

/** As the realtime connection does it: the next is applied, the known dropped, for the missing rows are asked. */
function receive(server: ModelServer, rev: number, events: Parameters<typeof applyEvents>[2]): void {
  const known = chat.getState().conversations.c?.head.rev ?? 0;
  if (rev <= known) return;
  if (rev === known + 1) apply(server, rev, events);
  else catchUp(server, known);
}

function catchUp(server: ModelServer, from: number): void {
  const answer = server.catchUp(from);
  apply(server, answer.rev, answer.events, answer.from);
}

/** As `live` does it: what only the server knows after something was taken back is read. */
function apply(server: ModelServer, rev: number, events: Late['events'], from?: number): void {
  const behind = applyEvents('c', rev, events, from);
  const c = chat.getState().conversations.c;
  if (c && !c.last && c.head.seq > 0) putConversations([server.conversation()]);
  settle(server, behind);
}

function settle(server: ModelServer, behind: number | undefined): void {
  if (behind !== undefined) catchUp(server, behind);
}

const sorted = (m: ReturnType<ModelServer['history']>['items'][number] | null | undefined) =>
  m && {
    ...m,
    reactions: [...(m.reactions ?? [])]
      .sort((a, b) => a.emoji.localeCompare(b.emoji))
      .map((r) => ({ ...r, users: [...r.users].sort() })),
  };

interface Late {
  rev: number;
  events: Parameters<typeof applyEvents>[2];
}

/** A client that is told of one server's changes, with all that can go wrong on the way. */
class Client {
  private late: Late[] = [];
  private pages: { page: History; from: number; to: number }[] = [];
  private kept: Timeline | undefined;

  constructor(private readonly server: ModelServer) {}

  /** The device kept the end of the timeline as it was then. */
  keep(): void {
    const { size } = this.server;
    const from = Math.max(1, size - 3);
    const page = this.server.history(from, size);
    this.kept =
      size > 0 ? { rev: page.rev, tail: size, segments: [{ from, to: size, messages: page.items }] } : undefined;
  }

  /** The list is read now; the timeline comes from the device and trails it. */
  open(): void {
    putConversations([this.server.conversation()], 'server');
    if (this.kept) putTimeline('c', this.kept);
  }

  hears(emitted: Late, happens: string): void {
    if (happens === 'late') this.late.push(emitted);
    if (happens === 'lost' || happens === 'late') return;
    receive(this.server, emitted.rev, emitted.events);
    if (happens === 'twice') receive(this.server, emitted.rev, emitted.events);
  }

  /** Asks for history; the answer takes its time. */
  asks(): void {
    const { size } = this.server;
    const from = Math.max(1, Math.floor(size / 2));
    if (size > 0) this.pages.push({ page: this.server.history(from, size), from, to: size });
  }

  arrive(): void {
    for (const { page, from, to } of this.pages) settle(this.server, putHistory('c', page, { from, to }));
    for (const l of this.late) receive(this.server, l.rev, l.events);
    this.pages = [];
    this.late = [];
  }

  finish(): void {
    this.arrive();
    catchUp(this.server, chat.getState().conversations.c?.head.rev ?? 0);
  }
}

describe('the law: state + events == fresh state', () => {
  test('whatever is lost, repeated or late, and whenever history is read', () => {
    const steps = fc.array(fc.tuple(op, fate), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.nat(20), fc.nat(6), fc.integer({ min: 1, max: 6 }), (list, kept, opened, every) => {
        forgetChat();
        const server = new ModelServer();
        const client = new Client(server);
        list.forEach(([step, happens], i) => {
          const emitted = server.act(step);
          if (i === kept) client.keep();
          if (i === kept + opened) client.open();
          if (i < kept + opened) return;
          if (happens === 'page') client.asks();
          client.hears(emitted, happens);
          if (i % every === 0) client.arrive();
        });
        if (!chat.getState().conversations.c) client.open();
        client.finish();
        const { conversations, timelines } = chat.getState();
        const held = { ...(conversations.c as HeldConversation) };
        held.undone = [...(held.undone ?? [])].sort((a, b) => a - b);
        held.mentions = [...(held.mentions ?? [])].sort((a, b) => a - b);
        const fresh = server.conversation();
        expect({ ...held, last: sorted(held.last) }).toEqual({ ...fresh, last: sorted(fresh.last) });
        const timeline = timelines.c;
        if (!timeline) return;
        for (const segment of timeline.segments) {
          expect(segment.messages.map(sorted)).toEqual(server.history(segment.from, segment.to).items.map(sorted));
        }
        expect(timeline.rev).toBe(fresh.head.rev);
      }),
      { numRuns: 600 },
    );
  });
});

describe('a conversation', () => {
  test('counts unread from head and cursor, and never goes back', () => {
    const c = applyToConversation(conversation(), 1, [{ kind: 'message', ...message(1) }], ME);
    expect(c.unread).toBe(1);
    const read = applyCursor(c, { read_seq: 1, n: 1, delivered_seq: 1 });
    expect(read.unread).toBe(0);
    expect(applyCursor(read, { read_seq: 0, n: 0, delivered_seq: 0 })).toEqual(read);
  });

  test('is marked when named, until that message is read', () => {
    const c = applyToConversation(conversation(), 1, [{ kind: 'message', ...message(5, { mentions: [ME] }) }], ME);
    expect(c.mentioned).toBe(true);
    expect(applyCursor(c, { read_seq: 4, n: 4, delivered_seq: 4 }).mentioned).toBe(true);
    expect(applyCursor(c, { read_seq: 5, n: 5, delivered_seq: 5 }).mentioned).toBe(false);
  });

  test('is named by what its messages say now: an edit and a recall take a name back', () => {
    const said = (seq: number, more = {}) => ({ kind: 'message' as const, ...message(seq, more) });
    const muted = conversation({ preferences: { muted: true, pinned: false, hidden: false, marked_unread: false } });
    let c = applyToConversation(muted, 2, [said(1, { mentions: [ME] }), said(2, { mentions: [ME] })], ME);
    c = applyToConversation(c, 3, [said(2, { body: null, recalled_at: 3 })], ME);
    expect([c.mentions, needsMe(c)]).toEqual([[1], true]);
    c = applyToConversation(c, 4, [said(1, { edited_at: 4 })], ME);
    expect([c.mentions, c.unread, needsMe(c)]).toEqual([[], 2, false]);
    c = applyToConversation(c, 5, [said(1, { mentions: [ME], edited_at: 5 })], ME);
    expect(needsMe(c)).toBe(true);
    expect(needsMe(applyCursor(c, { read_seq: 1, n: 1, delivered_seq: 2 }))).toBe(false);
  });

  test('keeps what is personal when the shared row changes', () => {
    const held = { ...conversation({ my_role: 'owner', draft: 'hm' }), title: 'Old' };
    const next = applyToConversation(held, 1, [{ kind: 'conversation', conversation: shared({ title: 'New' }) }], ME);
    expect(next).toMatchObject({ title: 'New', my_role: 'owner', draft: 'hm', can: held.can });
  });

  test('an older answer does not undo newer frames', () => {
    const held = conversation({ title: 'New', head: { seq: 9, n: 9, rev: 9, mention_all_n: 0, changed_at: 9 } });
    const old = conversation({ title: 'Old', head: { seq: 8, n: 8, rev: 8, mention_all_n: 0, changed_at: 8 } });
    expect(refresh(held, old).title).toBe('New');
  });

  test('stands in the list by pin and last change; hidden ones do not stand there', () => {
    const at = (id: string, changed_at: number, more = {}) =>
      conversation({
        id,
        head: { seq: 1, n: 1, rev: 1, mention_all_n: 0, changed_at },
        preferences: { muted: false, pinned: false, hidden: false, marked_unread: false, ...more },
      });
    const list = { a: at('a', 1), b: at('b', 3), c: at('c', 2, { pinned: true }), d: at('d', 9, { hidden: true }) };
    expect(listOrder(list)).toEqual(['c', 'b', 'a']);
  });
});

describe('reactions', () => {
  const event = { kind: 'reactions' as const, seq: 1, emoji: '👍', user: 'ann', on: true };

  test('know mine beyond the first twenty names', () => {
    const mine = reacted(message(1), { ...event, count: 1, users: [ME], user: ME }, ME);
    const crowd = Array.from({ length: 20 }, (_, i) => `u${i}`);
    const later = reacted(mine, { ...event, count: 40, users: crowd }, ME);
    expect(later.reactions?.[0]?.me).toBe(true);
    expect(reacted(later, { ...event, count: 39, users: crowd, user: ME, on: false }, ME).reactions?.[0]?.me).toBe(
      false,
    );
  });

  test('go when nobody is left', () => {
    const one = reacted(message(1), { ...event, count: 1, users: ['ann'] }, ME);
    expect(reacted(one, { ...event, count: 0, users: [], on: false }, ME).reactions).toEqual([]);
  });
});

describe('an undone message', () => {
  const undone = (seq: number) => ({ kind: 'message' as const, ...message(seq, { rev: 9, body: null, undone: true }) });

  test('counts as nothing while it is above the cursor, also when it comes twice', () => {
    const two = applyToConversation(
      conversation(),
      2,
      [1, 2].map((n) => ({ kind: 'message', ...message(n) })),
      ME,
    );
    const one = applyToConversation(applyToConversation(two, 3, [undone(2)], ME), 4, [undone(2)], ME);
    expect(one.unread).toBe(1);
    const read = applyCursor(one, { read_seq: 2, n: 2, delivered_seq: 2 });
    expect(read.unread).toBe(0);
    expect(read.undone).toEqual([]);
  });

  test('is not the last one any more, and nothing is drawn for it', () => {
    putConversations([conversation()], 'server');
    const head = { seq: 0, n: 0, rev: 0, mention_all_n: 0, changed_at: 0 };
    putHistory('c', { items: [], rev: 0, head }, { from: 1, to: 0 });
    applyEvents('c', 1, [{ kind: 'message', ...message(1) }]);
    applyEvents('c', 2, [{ kind: 'message', ...message(2) }]);
    applyEvents('c', 3, [undone(2)]);
    const { conversations, timelines } = chat.getState();
    expect(conversations.c?.last?.seq).toBe(1);
    const messages = timelines.c?.segments.flatMap((s) => s.messages) ?? [];
    expect(messages.map((m) => m.seq)).toEqual([1, 2]);
    expect(buildRows({ messages, pending: [], me: ME, readTo: undefined }).map((r) => r.seq)).toEqual([1]);
  });
});
