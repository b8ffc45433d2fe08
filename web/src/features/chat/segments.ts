/**
 * What a client holds of one conversation: disjoint runs of messages, dense by `seq`, sorted. One is the tail, others come
 * from jumps into the past; runs that meet are joined.
 */
import type { Message } from '~/api/types';

export interface Segment {
  from: number;
  to: number;
  /** Every message of `from..=to`, ascending. */
  messages: Message[];
}

export function lastSegment(segments: readonly Segment[]): Segment | undefined {
  return segments[segments.length - 1];
}

export function segmentWith(segments: readonly Segment[], seq: number): Segment | undefined {
  return segments.find((s) => s.from <= seq && seq <= s.to);
}

export function messageAt(segments: readonly Segment[], seq: number): Message | undefined {
  return segmentWith(segments, seq)?.messages.find((m) => m.seq === seq);
}

/** Adds a run. Where both hold a message, `incoming` decides whose stays. */
export function merge(segments: readonly Segment[], page: Segment, incoming: 'wins' | 'loses'): Segment[] {
  const apart: Segment[] = [];
  let from = page.from;
  let to = page.to;
  const rows = new Map<number, Message>();
  const touching: Segment[] = [];
  for (const s of segments) {
    if (s.to < page.from - 1 || s.from > page.to + 1) apart.push(s);
    else touching.push(s);
  }
  const layers = incoming === 'wins' ? [...touching, page] : [page, ...touching];
  for (const s of layers) {
    from = Math.min(from, s.from);
    to = Math.max(to, s.to);
    for (const m of s.messages) rows.set(m.seq, m);
  }
  const messages = [...rows.values()].sort((a, b) => a.seq - b.seq);
  return [...apart, { from, to, messages }].sort((a, b) => a.from - b.from);
}

/**
 * Puts one row in the place of the old one. A row that is not held is added only if it is new, that is after `tail`: an event
 * carries no reactions, and those of an older message would be missing for good. Such a row is read when it is looked at.
 */
export function upsert(segments: readonly Segment[], message: Message, tail: number): Segment[] {
  const held = segmentWith(segments, message.seq);
  if (held) return segments.map((s) => (s === held ? replace(s, message) : s));
  if (message.seq <= tail) return [...segments];
  return merge(segments, { from: message.seq, to: message.seq, messages: [message] }, 'wins');
}

function replace(segment: Segment, message: Message): Segment {
  const messages = segment.messages.map((m) => (m.seq === message.seq ? newer(m, message) : m));
  return { ...segment, messages };
}

/** The newer of two rows of one message. Reactions and 收到 travel by themselves: a row without them leaves them. */
export function newer(old: Message, incoming: Message): Message {
  if (incoming.rev < old.rev) return old;
  const { reactions, acks } = old;
  const keeps = {
    ...(reactions && !incoming.reactions ? { reactions } : {}),
    ...(acks && !incoming.acks ? { acks } : {}),
  };
  return { ...incoming, ...keeps };
}

export function change(segments: readonly Segment[], seq: number, edit: (m: Message) => Message): Segment[] {
  const held = segmentWith(segments, seq);
  if (!held) return [...segments];
  const messages = held.messages.map((m) => (m.seq === seq ? edit(m) : m));
  return segments.map((s) => (s === held ? { ...s, messages } : s));
}

/** Drops what is farthest from `keep` until at most `limit` messages remain. */
export function trim(segments: readonly Segment[], limit: number, keep: number): Segment[] {
  const total = segments.reduce((sum, s) => sum + s.messages.length, 0);
  if (total <= limit) return [...segments];
  const near = segmentWith(segments, keep) ?? lastSegment(segments);
  if (!near) return [];
  if (near.messages.length <= limit) return [near];
  const at = near.messages.findIndex((m) => m.seq >= keep);
  const middle = at < 0 ? near.messages.length : at;
  const start = Math.max(0, Math.min(middle - Math.floor(limit / 2), near.messages.length - limit));
  const messages = near.messages.slice(start, start + limit);
  const first = messages[0];
  const final = messages[messages.length - 1];
  return first && final ? [{ from: first.seq, to: final.seq, messages }] : [];
}
