import { Check } from 'lucide-react';
import { asAppError } from '~/api/client';
import type { Message } from '~/api/types';
import { useErrorText, useT } from '~/i18n';
import { cx } from '~/ui/cx';
import { toast } from '~/ui/Toast';
import { sayReceived } from '../actions';
import { chatUi } from '../ui';
import styles from './AckKey.module.css';

/** One key instead of hundreds of answers; whoever asked sees who is missing. */
export function AckKey({ conversation, message, mine }: { conversation: string; message: Message; mine: boolean }) {
  const t = useT();
  const errorText = useErrorText();
  const { count, me } = message.acks ?? { count: 0, me: false };
  const press = () =>
    void sayReceived(conversation, message.seq, !me).catch((error) => toast(errorText(asAppError(error))));
  return (
    <div className={styles.line}>
      {mine ? null : (
        <button type="button" className={cx(styles.key, me && styles.done)} aria-pressed={me} onClick={press}>
          <Check aria-hidden size={16} />
          {me ? t('chat:ack.done') : t('chat:ack.key')}
        </button>
      )}
      <button type="button" className={styles.count} onClick={() => chatUi.setState({ acks: message.seq })}>
        {t('chat:ack.count', { count })}
      </button>
    </div>
  );
}
