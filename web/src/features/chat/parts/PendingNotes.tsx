import { AppError } from '~/api/client';
import type { OutboxRow } from '~/core/outbox';
import { useErrorText, useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { services } from '../live';
import styles from './MessageRow.module.css';

/** Why a message has not left, and what can be done about it. */
export function PendingNotes({ pending }: { pending: OutboxRow }) {
  const t = useT();
  const errorText = useErrorText();
  const failed = pending.failed;
  return (
    <>
      {failed || !(pending.waiting || pending.unkept) ? null : (
        <p className={styles.held} role="status">
          {pending.waiting ? (
            <span>{t('chat:message.waiting', { why: errorText(new AppError(pending.waiting, 503)) })}</span>
          ) : null}
          {pending.unkept ? <span>{t('chat:message.unkept')}</span> : null}
        </p>
      )}
      {failed ? (
        <p className={styles.failed} role="alert">
          <span>
            {t('chat:message.failed')}:{' '}
            {errorText(
              new AppError(failed.code, 400, { status: 400, code: failed.code, context: failed.context ?? {} }),
            )}
          </span>
          <Button kind="quiet" onPress={() => void services()?.outbox.retry(pending.client_id)}>
            {t('common:retry')}
          </Button>
          <Button kind="quiet" onPress={() => void services()?.outbox.remove(pending.client_id)}>
            {t('chat:message.delete')}
          </Button>
        </p>
      ) : null}
    </>
  );
}
