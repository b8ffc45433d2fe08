import { useQuery } from '@tanstack/react-query';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Avatar } from '~/ui/Avatar';
import { Dialog } from '~/ui/Dialog';
import { FailedState } from '~/ui/EmptyState';
import { SkeletonRows } from '~/ui/Skeleton';
import { type ForwardedMessage, listForwarded } from '../api';
import { Body } from './Body';
import styles from './ForwardedCard.module.css';

/** What was sent on together, in full; a record inside of it shows its first lines only. */
export function ForwardedDialog({
  conversation,
  seq,
  onClose,
}: {
  conversation: string;
  seq: number;
  onClose: () => void;
}) {
  const t = useT();
  const record = useQuery({
    queryKey: ['forwarded', conversation, seq],
    queryFn: () => listForwarded(conversation, seq),
  });
  return (
    <Dialog open title={t('chat:forward.record')} onClose={onClose}>
      {record.isError ? (
        <FailedState error={record.error} retry={() => void record.refetch()} />
      ) : !record.data ? (
        <SkeletonRows rows={4} />
      ) : (
        <ol>
          {record.data.items.map((message, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: messages of a record have no other name and do not move
            <One key={i} message={message} conversation={conversation} />
          ))}
        </ol>
      )}
    </Dialog>
  );
}

function One({ message: m, conversation }: { message: ForwardedMessage; conversation: string }) {
  const t = useT();
  const locale = useLocale();
  const inside = m.forwarded?.kind === 'combined' ? m.forwarded : undefined;
  return (
    <li className={styles.message}>
      <Avatar id={m.sender.id} name={m.name} size="small" />
      <div className={styles.words}>
        <span className={styles.meta}>
          {m.name} · <time>{fullTime(locale, m.sent_at)}</time>
        </span>
        {inside ? (
          <>
            <span>{t('chat:forward.record')}</span>
            {inside.items.map((item, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines of one preview have no other name and do not move
              <span key={i} className={styles.line}>
                {t('chat:timeline.announce', { who: item.name, text: item.text })}
              </span>
            ))}
          </>
        ) : (
          <Body body={m.body} conversation={conversation} />
        )}
      </div>
    </li>
  );
}
