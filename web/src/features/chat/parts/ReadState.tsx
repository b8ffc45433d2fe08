import { useStore } from 'zustand';
import { useShallow } from 'zustand/react/shallow';
import type { ConversationMember } from '~/api/types';
import { useT } from '~/i18n';
import { memberOf } from '../names';
import { lastSegment } from '../segments';
import { type ChatState, chat } from '../store';
import { chatUi } from '../ui';
import { ReadRing } from './ReadRing';
import styles from './ReadState.module.css';

/** Places at which members came, ascending: whoever came later is not waited for. */
const arrivals = new WeakMap<readonly ConversationMember[], number[]>();

function cameAfter(members: readonly ConversationMember[], seq: number): number {
  let places = arrivals.get(members);
  if (!places) {
    places = members.map((m) => m.joined_seq).sort((a, b) => a - b);
    arrivals.set(members, places);
  }
  let late = 0;
  while (late < places.length && (places[places.length - 1 - late] ?? 0) > seq) late += 1;
  return late;
}

/** How far others are with a message of mine, of those who were there when it was sent. */
function progress(s: ChatState, conversation: string, seq: number, me: string) {
  const c = s.conversations[conversation];
  const members = s.members[conversation];
  let read = 0;
  let delivered = 0;
  for (const cursor of Object.values(s.cursors[conversation] ?? {})) {
    if (cursor.user === me || (memberOf(members, cursor.user)?.joined_seq ?? 0) > seq) continue;
    if (cursor.read_seq >= seq) read += 1;
    if (cursor.delivered_seq >= seq) delivered += 1;
  }
  const late = members ? cameAfter(members, seq) : 0;
  const total = Math.max(0, (c?.member_count ?? 1) - 1 - late);
  return {
    kind: c?.kind,
    total,
    read: Math.min(read, total),
    delivered,
    latest: newestOf(s, conversation, me) === seq,
  };
}

/** The newest message of mine, below which it is said in words. */
function newestOf(s: ChatState, conversation: string, me: string): number | undefined {
  const messages = lastSegment(s.timelines[conversation]?.segments ?? [])?.messages ?? [];
  for (let i = messages.length - 1; i >= 0; i--) {
    const m = messages[i];
    if (m?.sender.id === me && m.body?.kind === 'blocks' && !m.undone) return m.seq;
  }
  return undefined;
}

/**
 * How far others are with one of my messages; in a group it opens the names. In words below the newest one, as a ring
 * beside the others: `words` says which of the two places this is.
 */
export function ReadState({
  conversation,
  seq,
  me,
  words,
}: {
  conversation: string;
  seq: number;
  me: string;
  words: boolean;
}) {
  const t = useT();
  const { kind, total, read, delivered, latest } = useStore(
    chat,
    useShallow((s) => progress(s, conversation, seq, me)),
  );
  if (words !== latest || kind === 'self' || kind === undefined || total === 0) return null;
  if (kind === 'direct') {
    const text =
      read > 0
        ? t('chat:receipts.direct_read')
        : delivered > 0
          ? t('chat:receipts.delivered')
          : t('chat:receipts.sent');
    return (
      <span className={styles.state} data-testid="read-state" role="img" aria-label={text} title={text}>
        {words ? (
          <span className={styles.words}>{t(read > 0 ? 'chat:receipts.read' : 'chat:receipts.unread')}</span>
        ) : (
          <ReadRing share={read > 0 ? 1 : 0} />
        )}
      </span>
    );
  }
  const text = read >= total ? t('chat:receipts.all_read') : t('chat:receipts.n_read', { count: read, total });
  return (
    <button
      type="button"
      className={styles.state}
      data-testid="read-state"
      aria-label={text}
      title={text}
      onClick={() => chatUi.setState({ receipts: seq })}
    >
      {words ? (
        <span className={styles.words}>
          {read >= total ? text : t('chat:receipts.n_unread', { count: total - read })}
        </span>
      ) : (
        <ReadRing share={read / total} />
      )}
    </button>
  );
}
