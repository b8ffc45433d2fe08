/** From messages to rows: what is grouped, where a day begins, where the unread begin. Pure. */
import type { Message } from '~/api/types';
import type { OutboxRow } from '~/core/outbox';
import { startOfDay } from '~/i18n/format';

/** Messages of one person this close together share one picture and one name. */
export const GROUP_MS = 3 * 60_000;

export interface Row {
  key: string;
  /** Absent while the message is on its way. */
  seq: number | undefined;
  at: number;
  mine: boolean;
  message: Message | undefined;
  pending: OutboxRow | undefined;
  /** The first message of its day. */
  newDay: boolean;
  /** The first unread message when the conversation was opened. */
  firstUnread: boolean;
  /** Follows one of the same person within three minutes. */
  grouped: boolean;
  /** The last of such a group. */
  closes: boolean;
}

export interface RowInput {
  messages: readonly Message[];
  pending: readonly OutboxRow[];
  me: string;
  /** What had been read when the conversation was opened; undefined if nothing was unread. */
  readTo: number | undefined;
}

export function buildRows({ messages, pending, me, readTo }: RowInput): Row[] {
  const rows: Row[] = [];
  // Where the run begins later, the first unread lies before it and stands at none of its messages.
  let unreadShown = readTo === undefined || (messages[0]?.seq ?? 0) > readTo + 1;
  for (const message of messages) {
    if (message.undone) continue;
    const mine = message.sender.id === me;
    const firstUnread = !unreadShown && message.seq > (readTo ?? 0) && !mine;
    if (firstUnread) unreadShown = true;
    rows.push({
      // The same key as while it was on its way: the row stays, only its state changes.
      key: message.client_id ? `${message.sender.id}:${message.client_id}` : `#${message.seq}`,
      seq: message.seq,
      at: message.sent_at,
      mine,
      message,
      pending: undefined,
      newDay: false,
      firstUnread,
      grouped: false,
      closes: true,
    });
  }
  const known = new Set(rows.map((r) => r.key));
  for (const row of pending) {
    const key = `${me}:${row.client_id}`;
    if (known.has(key)) continue;
    const base = { newDay: false, firstUnread: false, grouped: false, closes: true };
    rows.push({ ...base, key, seq: undefined, at: row.created_at, mine: true, message: undefined, pending: row });
  }
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    row.newDay = !before || startOfDay(before.at) !== startOfDay(row.at);
    row.grouped = Boolean(before && !row.newDay && !row.firstUnread && joins(before, row));
    if (before && row.grouped) before.closes = false;
  });
  return rows;
}

/** The rows of before in the place of equal new ones, so that only what changed is drawn again. */
export function keepRows(before: readonly Row[], now: Row[]): Row[] {
  const known = new Map(before.map((r) => [r.key, r]));
  return now.map((row) => {
    const old = known.get(row.key);
    return old && (Object.keys(row) as (keyof Row)[]).every((k) => old[k] === row[k]) ? old : row;
  });
}

function joins(a: Row, b: Row): boolean {
  if (!speaks(a) || !speaks(b)) return false;
  const same = a.mine ? b.mine : a.message?.sender.id === b.message?.sender.id;
  return same && b.at - a.at < GROUP_MS;
}

/** A bubble; lines of the conversation and recalled messages stand by themselves. */
function speaks(row: Row): boolean {
  return row.pending !== undefined || row.message?.body?.kind === 'blocks';
}
