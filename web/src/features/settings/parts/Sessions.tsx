import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { asAppError } from '~/api/client';
import { now } from '~/core/clock';
import { deviceName, endSession, readSessions } from '~/features/identity';
import { useErrorText, useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { FailedState } from '~/ui/EmptyState';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import styles from './Sessions.module.css';

const KEY = ['sessions'];

/** Where one is signed in, and the way to end it there. */
export function Sessions() {
  const t = useT();
  const locale = useLocale();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const sessions = useQuery({ queryKey: KEY, queryFn: readSessions, staleTime: 0 });
  const end = useMutation({
    mutationFn: endSession,
    onSuccess: () => {
      toast(t('settings:session_ended'));
      return queries.invalidateQueries({ queryKey: KEY });
    },
    onError: (error) => toast(errorText(asAppError(error))),
  });
  return (
    <section className={styles.section} aria-labelledby="devices">
      <h2 id="devices">{t('settings:devices')}</h2>
      {sessions.isError ? (
        <FailedState error={sessions.error} retry={() => void sessions.refetch()} />
      ) : !sessions.data ? (
        <SkeletonRows rows={2} />
      ) : (
        <ul className={styles.list}>
          {sessions.data.items.map((s) => (
            <li key={s.id} className={styles.row}>
              <span className={styles.words}>
                <span>
                  {deviceName(s.device) ?? t('settings:unknown_device')}
                  {s.current ? <span className={styles.tag}>{t('settings:this_device')}</span> : null}
                </span>
                <span className={styles.below}>
                  {t('settings:last_seen', { when: listTime(locale, s.last_seen_at, now()) })}
                </span>
              </span>
              {s.current ? null : (
                <Button isPending={end.isPending && end.variables === s.id} onPress={() => end.mutate(s.id)}>
                  {t('settings:end_session')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
