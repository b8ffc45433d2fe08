import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { UserPlus } from 'lucide-react';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import type { Member, Org } from '~/api/types';
import { now } from '~/core/clock';
import { isolated } from '~/core/names';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { watchPeople } from '~/core/watch';
import { useWaitingConversations } from '~/features/chat';
import { membersKey, someMembers } from '~/features/directory';
import { useWaitingCount } from '~/features/waiting';
import { useLocale, useT } from '~/i18n';
import { calendarDay } from '~/i18n/format';
import { Avatar } from '~/ui/Avatar';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { SkeletonRows } from '~/ui/Skeleton';
import { joinedToday } from '../today';
import styles from './Today.module.css';

const FACES = 12;
const NAMED = 5;
const WATCHED = 100;

/** One's team today: who is there, who is new, and how much waits. */
export function Today({ org, several }: { org: Org; several: boolean }) {
  const t = useT();
  const locale = useLocale();
  const members = useQuery({
    queryKey: [...membersKey(org.id), 'some', ''],
    queryFn: () => someMembers(org.id),
    enabled: org.state !== 'suspended',
  });
  return (
    <section className={styles.today} aria-label={t('workbench:today_of', { org: org.name })}>
      <header className={styles.head}>
        <h2>{several ? org.name : t('workbench:today')}</h2>
        <span className={styles.day}>{calendarDay(locale, now(), now())}</span>
      </header>
      {org.state === 'suspended' ? (
        <p className={styles.text}>{t('directory:suspended_here')}</p>
      ) : members.isError ? (
        <FailedState error={members.error} retry={() => void members.refetch()} />
      ) : !members.data ? (
        <SkeletonRows rows={1} />
      ) : (
        <Team org={org} members={members.data} />
      )}
    </section>
  );
}

function Team({ org, members }: { org: Org; members: readonly Member[] }) {
  const t = useT();
  const me = myId();
  const others = members.filter((m) => m.user !== me);
  const ids = others
    .slice(0, WATCHED)
    .map((m) => m.user)
    .join();
  useEffect(() => watchPeople(`team:${org.id}`, ids ? ids.split(',') : []), [org.id, ids]);
  const presence = useStore(people, (s) => s.presence);
  const there = others.filter((m) => presence[m.user] === 'online');
  const fresh = joinedToday(members, now());
  const talks = useWaitingConversations();
  const waits = useWaitingCount();
  return (
    <>
      <ul className={styles.facts}>
        {waits > 0 ? (
          <li>
            <Link to="/waiting" className={styles.fact}>
              {t('workbench:waits', { count: waits })}
            </Link>
          </li>
        ) : null}
        {talks > 0 ? (
          <li>
            <Link to="/chat" className={styles.fact}>
              {t('workbench:unread', { count: talks })}
            </Link>
          </li>
        ) : null}
        {fresh.length > 0 ? (
          <li className={styles.fact}>
            <span>
              {t('workbench:joined', {
                names: fresh
                  .slice(0, NAMED)
                  .map((m) => isolated(m.name))
                  .join(t('chat:title.join')),
              })}{' '}
              {fresh.length > NAMED ? t('workbench:and_more', { count: fresh.length }) : null}
            </span>
          </li>
        ) : null}
        {waits === 0 && talks === 0 && fresh.length === 0 ? (
          <li className={styles.text}>{t('workbench:calm')}</li>
        ) : null}
      </ul>
      {others.length === 0 ? (
        <p className={styles.text}>{t('workbench:only_you')}</p>
      ) : (
        <div className={styles.team}>
          <span className={styles.text}>
            {there.length > 0 ? t('workbench:there', { count: there.length }) : t('workbench:nobody_there')}
          </span>
          <span className={styles.faces} aria-hidden>
            {there.slice(0, FACES).map((m) => (
              <Avatar key={m.user} id={m.user} name={m.name} size="small" />
            ))}
          </span>
        </div>
      )}
    </>
  );
}

/** Nobody's colleague yet: the two ways to become one. */
export function NoTeam() {
  const t = useT();
  return (
    <EmptyState
      icon={<UserPlus aria-hidden />}
      title={t('directory:no_org')}
      action={
        <span className={styles.ways}>
          <Link to="/join">{t('directory:join')}</Link>
          <Link to="/create">{t('directory:create')}</Link>
        </span>
      }
    >
      {t('workbench:no_team_text')}
    </EmptyState>
  );
}
