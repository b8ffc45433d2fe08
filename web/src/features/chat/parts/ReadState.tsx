import { useStore } from 'zustand';
import { useShallow } from 'zustand/react/shallow';
import { useT } from '~/i18n';
import { chat } from '../store';
import { chatUi } from '../ui';
import { ReadRing } from './ReadRing';
import styles from './ReadState.module.css';

/** How far others are with one of my messages. In a group it opens the names. */
export function ReadState({ conversation, seq, me }: { conversation: string; seq: number; me: string }) {
  const t = useT();
  const { kind, total, read, delivered } = useStore(
    chat,
    useShallow((s) => {
      const c = s.conversations[conversation];
      let read = 0;
      let delivered = 0;
      for (const cursor of Object.values(s.cursors[conversation] ?? {})) {
        if (cursor.user === me) continue;
        if (cursor.read_seq >= seq) read += 1;
        if (cursor.delivered_seq >= seq) delivered += 1;
      }
      return { kind: c?.kind, total: Math.max(0, (c?.member_count ?? 1) - 1), read, delivered };
    }),
  );
  if (kind === 'self' || kind === undefined || total === 0) return null;
  if (kind === 'direct') {
    const text =
      read > 0
        ? t('chat:receipts.direct_read')
        : delivered > 0
          ? t('chat:receipts.delivered')
          : t('chat:receipts.sent');
    return (
      <span className={styles.state} data-testid="read-state" role="img" aria-label={text} title={text}>
        <ReadRing share={read > 0 ? 1 : 0} delivered={delivered > 0} />
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
      <ReadRing share={read / total} />
    </button>
  );
}
