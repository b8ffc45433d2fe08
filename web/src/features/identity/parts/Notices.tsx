import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ShieldAlert } from 'lucide-react';
import { asAppError } from '~/api/client';
import { NOTICES } from '~/api/query';
import type { Notice } from '~/api/types';
import { now } from '~/core/clock';
import { useErrorText, useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { toast } from '~/ui/Toast';
import { endOtherSessions, readNotices, refuseRecoveryOfMine, seeNotice } from '../api';
import { deviceName } from '../device';
import styles from './Notices.module.css';

/** What happened to my account and was not looked at yet, with what to do if it was not me. */
export function Notices() {
  const t = useT();
  const errorText = useErrorText();
  const queries = useQueryClient();
  const notices = useQuery({ queryKey: NOTICES, queryFn: () => readNotices(), staleTime: 0 });
  const open = notices.data?.items.filter((n) => !n.seen) ?? [];
  if (open.length === 0) return null;
  const after = async (work: Promise<unknown>, said?: string) => {
    try {
      await work;
      if (said) toast(said);
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
    await queries.invalidateQueries({ queryKey: NOTICES });
  };
  return (
    <section className={styles.list} aria-label={t('identity:notices.title')}>
      {open.map((n) => (
        <article key={n.id} className={styles.notice}>
          <ShieldAlert aria-hidden size={20} />
          <div className={styles.words}>
            <Words notice={n} />
            <div className={styles.acts}>
              {n.kind === 'session_new' ? (
                <Button onPress={() => void after(endOtherSessions(), t('identity:notices.ended'))}>
                  {t('identity:notices.not_me')}
                </Button>
              ) : null}
              {n.kind === 'recovery_requested' && typeof detail(n).recovery === 'string' ? (
                <Button
                  onPress={() =>
                    void after(
                      refuseRecoveryOfMine(detail(n).recovery as string).then(() => seeNotice(n.id)),
                      t('identity:notices.recovery_refused'),
                    )
                  }
                >
                  {t('identity:notices.refuse_recovery')}
                </Button>
              ) : null}
              <Button kind="quiet" onPress={() => void after(seeNotice(n.id))}>
                {t('identity:notices.seen')}
              </Button>
            </div>
          </div>
        </article>
      ))}
    </section>
  );
}

const detail = (notice: Notice) => (notice.detail ?? {}) as Record<string, unknown>;

/** Kinds this client has words for; a newer server's are shown as "something changed". */
const KINDS = [
  'contact_taken',
  'contact_changed',
  'contact_pending',
  'password_changed',
  'passkey_added',
  'passkey_removed',
  'totp_changed',
  'totp_lost',
  'second_factor_wrong',
  'session_new',
  'recovery_requested',
  'recovery_refused',
  'recovery_done',
  'recovery_asked',
  'recovery_approved',
  'merged',
  'merge_undone',
  'org_closing',
  'org_closed',
  'role_changed',
  'removed_from_org',
  'suspended',
  'restored',
  'join_approved',
  'join_refused',
  'friend_request',
  'rung_gone',
] as const;

function Words({ notice }: { notice: Notice }) {
  const t = useT();
  const locale = useLocale();
  const kind = KINDS.find((k) => k === notice.kind) ?? 'other';
  const told = detail(notice);
  const text = (key: string) => (typeof told[key] === 'string' ? (told[key] as string) : '');
  return (
    <>
      <strong>
        {t(`identity:notices.kinds.${kind}`, {
          device: deviceName(text('device')) ?? t('settings:unknown_device'),
          address: text('address'),
          org: text('org_name') || text('name'),
          name: text('name'),
          by: text('by_name'),
          browser: text('label') || t('settings:unknown_device'),
        })}
      </strong>
      <span className={styles.when}>{listTime(locale, notice.at, now())}</span>
    </>
  );
}
