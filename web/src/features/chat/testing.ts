/** A small model of one conversation on a server, for tests: what it holds, what it emits, what it answers. */
import type { ConversationStreamEvent } from '~/api/events';
import type { Conversation, History, Message, SharedConversation } from '~/api/types';

export const ME = 'me';
const PEOPLE = [ME, 'ann', 'bo'];

export function message(seq: number, more: Partial<Message> = {}): Message {
  return {
    seq,
    n: seq,
    rev: seq,
    client_id: `m${seq}`,
    sender: { kind: 'person', id: 'ann' },
    sent_at: seq * 1_000,
    body: { kind: 'blocks', blocks: [{ type: 'text', text: `text ${seq}` }] },
    mentions: [],
    mention_all: false,
    reply_to: null,
    edited_at: null,
    recalled_at: null,
    countable: true,
    ...more,
  };
}

/** What everyone sees of a conversation alike. */
export function shared(more: Partial<SharedConversation> = {}): SharedConversation {
  return {
    id: 'c',
    kind: 'group',
    title: 'Talk',
    derived: false,
    external: false,
    member_count: 3,
    members_preview: PEOPLE,
    head: { seq: 0, n: 0, rev: 0, mention_all_n: 0, changed_at: 0 },
    ...more,
  };
}

export function conversation(more: Partial<Conversation> = {}): Conversation {
  return {
    ...shared(),
    cursor: { read_seq: 0, n: 0, delivered_seq: 0 },
    unread: 0,
    mentioned: false,
    preferences: { muted: false, pinned: false, hidden: false, marked_unread: false },
    my_role: 'member',
    joined_seq: 0,
    can: { post: true, attach: true, rename: true, add: true, mention_all: true, ask_ack: true },
    undo_ms: 5_000,
    draft_rev: 0,
    ...more,
  };
}

export type Op =
  | { op: 'send'; by: number; mention: boolean }
  | { op: 'edit'; at: number }
  | { op: 'recall'; at: number }
  | { op: 'undo'; at: number }
  | { op: 'react'; at: number; by: number; on: boolean; emoji: string }
  | { op: 'rename'; title: string };

interface Emitted {
  rev: number;
  events: ConversationStreamEvent[];
}

export class ModelServer {
  private rev = 0;
  private title = 'Talk';
  private readonly messages: Message[] = [];
  private readonly reactions = new Map<string, Set<string>>();
  private readonly log: Emitted[] = [];
  private mentionAll = 0;

  act(op: Op): Emitted {
    this.rev += 1;
    const events = this.change(op);
    const emitted = { rev: this.rev, events };
    this.log.push(emitted);
    return emitted;
  }

  private change(op: Op): ConversationStreamEvent[] {
    const at = 'at' in op ? this.messages[op.at % Math.max(1, this.messages.length)] : undefined;
    switch (op.op) {
      case 'send': {
        const sender = PEOPLE[op.by % PEOPLE.length] ?? ME;
        const mentions = op.mention && sender !== ME ? [ME] : [];
        const m = message(this.messages.length + 1, {
          rev: this.rev,
          sender: { kind: 'person', id: sender },
          mentions,
        });
        this.messages.push(m);
        return [this.row(m)];
      }
      case 'edit':
      case 'undo':
      case 'recall':
        if (!at) return [];
        at.rev = this.rev;
        if (op.op === 'undo') at.undone = true;
        if (op.op !== 'edit') {
          at.body = null;
          at.mentions = [];
        } else if (at.body) at.body = { kind: 'blocks', blocks: [{ type: 'text', text: `edited ${this.rev}` }] };
        return [this.row(at)];
      case 'react': {
        if (!at) return [];
        const user = PEOPLE[op.by % PEOPLE.length] ?? ME;
        const set = this.reactions.get(`${at.seq}/${op.emoji}`) ?? new Set();
        this.reactions.set(`${at.seq}/${op.emoji}`, set);
        if (op.on) set.add(user);
        else set.delete(user);
        return [this.reactionRow(at.seq, op.emoji, user, op.on)];
      }
      case 'rename':
        this.title = op.title;
        return [{ kind: 'conversation', conversation: shared({ title: this.title, head: this.head() }) }];
    }
  }

  private row(m: Message): ConversationStreamEvent {
    return { kind: 'message', ...m };
  }

  private reactionRow(seq: number, emoji: string, user: string, on: boolean): ConversationStreamEvent {
    const users = [...(this.reactions.get(`${seq}/${emoji}`) ?? [])];
    return { kind: 'reactions', seq, emoji, count: users.length, users, user, on };
  }

  private head() {
    const last = this.messages[this.messages.length - 1];
    const seq = this.messages.length;
    return { seq, n: seq, rev: this.rev, mention_all_n: this.mentionAll, changed_at: last?.sent_at ?? 0 };
  }

  /** Rows changed after `from`, each once, in the order of their last change. */
  catchUp(from: number): { from: number; rev: number; events: ConversationStreamEvent[] } {
    const rows = new Map<string, ConversationStreamEvent>();
    for (const { rev, events } of this.log) {
      if (rev <= from) continue;
      for (const e of events) {
        const key = e.kind === 'message' ? `m${e.seq}` : e.kind === 'reactions' ? `r${e.seq}${e.emoji}` : e.kind;
        rows.delete(key);
        const now = e.kind === 'message' ? this.row(this.messages[e.seq - 1] as Message) : e;
        rows.set(
          key,
          now.kind === 'conversation'
            ? { ...now, conversation: shared({ title: this.title, head: this.head() }) }
            : now,
        );
      }
    }
    return { from, rev: this.rev, events: [...rows.values()] };
  }

  /** What `GET …/messages` answers. */
  history(from: number, to: number): History {
    return { items: this.messages.slice(from - 1, to).map((m) => this.fresh(m)), rev: this.rev, head: this.head() };
  }

  private fresh(m: Message): Message {
    const reactions = [...this.reactions]
      .filter(([key, users]) => key.startsWith(`${m.seq}/`) && users.size > 0)
      .map(([key, users]) => {
        const emoji = key.slice(key.indexOf('/') + 1);
        return { emoji, count: users.size, users: [...users], me: users.has(ME) };
      });
    return { ...m, ...(reactions.length > 0 ? { reactions } : {}) };
  }

  get size(): number {
    return this.messages.length;
  }

  /** What `GET /conversations/{id}` answers. */
  conversation(): Conversation {
    const last = [...this.messages].reverse().find((m) => !m.undone);
    const undone = this.messages.filter((m) => m.undone).map((m) => m.seq);
    const head = this.head();
    return conversation({
      title: this.title,
      head,
      last: last && this.fresh(last),
      unread: head.n - undone.length,
      undone,
      mentioned: this.messages.some((m) => m.mentions.includes(ME)),
      mentions: this.messages.filter((m) => m.mentions.includes(ME)).map((m) => m.seq),
    });
  }
}
