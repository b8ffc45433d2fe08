import { Link } from '@tanstack/react-router';
import { BellOff, Pin } from 'lucide-react';
import { memo, useMemo } from 'react';
import { useStore } from 'zustand';
import type { Message } from '~/api/types';
import { now } from '~/core/clock';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { cx } from '~/ui/cx';
import type { HeldConversation } from '../events';
import { useName, useTitle } from '../names';
import { chat } from '../store';
import { useSystemText } from '../system';
import { draftLine, plainText } from '../text';
import { chatUi } from '../ui';
import { ConversationAvatar } from './ConversationAvatar';
import styles from './ConversationRow.module.css';

export const ConversationRow = memo(function ConversationRow({
  conversation: c,
  current,
}: {
  conversation: HeldConversation;
  current: boolean;
}) {
  const t = useT();
  const locale = useLocale();
  const title = useTitle(c);
  const unread = c.unread > 0 || c.preferences.marked_unread;
  return (
    <Link
      to="/chat/$conversation"
      params={{ conversation: c.id }}
      className={cx(styles.row, current && styles.current, c.preferences.pinned && styles.pinned)}
      aria-current={current ? 'page' : undefined}
      data-testid="conversation"
      data-conversation={c.id}
    >
      <ConversationAvatar conversation={c} title={title} />
      <span className={styles.words}>
        <span className={styles.line}>
          <span className={styles.title}>{title}</span>
          {c.external || c.outside ? <span className={styles.external}>{t('chat:list.external')}</span> : null}
          {c.last ? <time className={styles.time}>{listTime(locale, c.last.sent_at, now())}</time> : null}
        </span>
        <span className={styles.line}>
          <Preview conversation={c} />
          {c.preferences.muted ? <BellOff className={styles.mark} aria-label={t('chat:details.mute')} /> : null}
          {c.preferences.pinned && !unread ? <Pin className={styles.mark} aria-label={t('chat:details.pin')} /> : null}
          {unread ? <Badge count={c.unread} quiet={c.preferences.muted && !c.mentioned} /> : null}
        </span>
      </span>
    </Link>
  );
});

/** Red means that a person waits; news of what was muted is a grey dot. */
function Badge({ count, quiet }: { count: number; quiet: boolean }) {
  const t = useT();
  const shown = quiet || count === 0 ? '' : count > 99 ? '99+' : String(count);
  return (
    <>
      <span className={shown ? styles.badge : styles.dot} aria-hidden>
        {shown}
      </span>
      {count > 0 ? <span className="visually-hidden">{t('chat:list.unread_count', { count })}</span> : null}
    </>
  );
}

function Preview({ conversation: c }: { conversation: HeldConversation }) {
  const t = useT();
  const draft = useDraftLine(c.id);
  const failed = useStore(chat, (s) => s.outbox[c.id]?.some((r) => r.failed) ?? false);
  if (failed) return <span className={cx(styles.preview, styles.alarm)}>{t('chat:list.failed')}</span>;
  const byName = c.mentioned && Boolean(c.mentions?.length);
  const called = byName ? t('chat:list.mentioned') : c.mentioned ? t('chat:list.mentioned_all') : '';
  if (called) {
    return (
      <span className={styles.preview}>
        <span className={styles.alarm}>{called}</span> {c.last ? <LastMessage c={c} message={c.last} /> : null}
      </span>
    );
  }
  if (draft) {
    return (
      <span className={styles.preview}>
        <span className={styles.draft}>{t('chat:list.draft')}</span> {draft}
      </span>
    );
  }
  return (
    <span className={styles.preview}>{c.last ? <LastMessage c={c} message={c.last} /> : t('chat:list.nothing')}</span>
  );
}

/** What is begun here and not sent: words, files, and files on their way. */
function useDraftLine(id: string): string {
  const draft = useStore(chat, (s) => s.drafts[id]);
  const chips = useStore(chatUi, (s) => s.trays[id]?.chips);
  return useMemo(() => draftLine(draft, chips), [draft, chips]);
}

function LastMessage({ c, message }: { c: HeldConversation; message: Message }) {
  const t = useT();
  const sender = useName(message.sender.id);
  const users = useStore(people, (s) => s.users);
  const system = useSystemText();
  if (message.body?.kind === 'system') return <>{system(message)}</>;
  const who = c.kind === 'direct' || c.kind === 'self' || message.sender.id === myId() ? '' : sender;
  const text = message.body ? plainText(message.body, (id) => users[id]?.name ?? '') : t('chat:message.recalled');
  return (
    <>
      {who ? (
        <>
          <bdi>{who}</bdi>:{' '}
        </>
      ) : null}
      <bdi>{text}</bdi>
    </>
  );
}
