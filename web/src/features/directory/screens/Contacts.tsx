import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Contact, Settings2, UserPlus } from 'lucide-react';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import type { Member, Org } from '~/api/types';
import { sharedNames } from '~/core/names';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { watchPeople } from '~/core/watch';
import { startDirect } from '~/features/chat';
import { useErrorText, useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { EmptyState } from '~/ui/EmptyState';
import { PagedList } from '~/ui/PagedList';
import { SearchField } from '~/ui/SearchField';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useMembers } from '../members';
import { MemberRow } from '../parts/MemberRow';
import { OwnRequests } from '../parts/OwnRequests';
import { directory } from '../store';
import styles from './Contacts.module.css';

export function Contacts() {
  const t = useT();
  const { orgs, loaded } = useStore(directory);
  const { org: wanted } = useParams({ strict: false });
  const list = Object.values(orgs);
  const org = (wanted ? orgs[wanted] : undefined) ?? list[0];
  if (!org) {
    return loaded ? <NoOrg /> : <SkeletonRows />;
  }
  return (
    <main className={styles.page} id="content">
      <Head org={org} orgs={list} />
      <div className={styles.list}>
        <OwnRequests />
      </div>
      {org.state === 'suspended' ? (
        <EmptyState title={t('directory:suspended_here')} />
      ) : (
        <Members key={org.id} org={org} title={t('directory:members')} />
      )}
    </main>
  );
}

function Head({ org, orgs }: { org: Org; orgs: Org[] }) {
  const t = useT();
  const navigate = useNavigate();
  const mayManage = org.role === 'owner' || org.role === 'admin';
  return (
    <header className={styles.head}>
      <div className={styles.title}>
        <h1>{orgs.length > 1 ? t('directory:title') : org.name}</h1>
        <span className={styles.count}>{t('directory:count', { count: org.member_count })}</span>
      </div>
      {orgs.length > 1 ? (
        <Choice
          chips
          label={t('directory:choose_org')}
          value={org.id}
          options={orgs.map((o) => ({ id: o.id, label: o.name }))}
          onChange={(id) => void navigate({ to: '/contacts/$org', params: { org: id }, replace: true })}
        />
      ) : null}
      <IconButton label={t('directory:friends.title')} onPress={() => void navigate({ to: '/friends' })}>
        <Contact aria-hidden />
      </IconButton>
      {mayManage ? (
        <IconButton
          label={t('directory:manage.open')}
          onPress={() => void navigate({ to: '/org/$org/manage', params: { org: org.id } })}
        >
          <Settings2 aria-hidden />
        </IconButton>
      ) : null}
      {mayManage ? (
        <IconButton
          label={t('directory:invite')}
          onPress={() => void navigate({ to: '/invite/$org', params: { org: org.id } })}
        >
          <UserPlus aria-hidden />
        </IconButton>
      ) : null}
    </header>
  );
}

function Members({ org, title }: { org: Org; title: string }) {
  const t = useT();
  const errorText = useErrorText();
  const navigate = useNavigate();
  const [q, setQ] = useState('');
  const query = useMembers(org.id, useDeferredValue(q.trim()));
  const members = useMemo(() => query.items.filter((m) => m.state === 'active'), [query.items]);
  const twins = useMemo(() => sharedNames(members), [members]);
  const presence = useStore(people, (s) => s.presence);
  useWatch(members);
  const write = async (member: Member) => {
    try {
      const { id } = await startDirect(member.user);
      await navigate({ to: '/chat/$conversation', params: { conversation: id } });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  return (
    <>
      <div className={styles.search}>
        <SearchField label={t('directory:search')} value={q} onChange={setQ} />
      </div>
      <PagedList list={query} empty={t('directory:none')}>
        {() => (
          <ul className={styles.list} aria-label={title}>
            {members.map((m) => {
              const me = m.user === myId();
              const online = presence[m.user] === 'online' ? t('common:online') : undefined;
              const row = <MemberRow member={m} twin={twins.has(m.name)} me={me} online={online} />;
              return (
                <li key={m.user}>
                  {me ? (
                    <div className={styles.row}>{row}</div>
                  ) : (
                    <button
                      type="button"
                      className={styles.row}
                      onClick={() => void write(m)}
                      title={t('directory:message')}
                    >
                      {row}
                    </button>
                  )}
                </li>
              );
            })}
          </ul>
        )}
      </PagedList>
    </>
  );
}

const WATCHED = 100;

/** Presence of those on the page. */
function useWatch(members: Member[]): void {
  const ids = members
    .slice(0, WATCHED)
    .map((m) => m.user)
    .join();
  useEffect(() => watchPeople('contacts', ids ? ids.split(',') : []), [ids]);
}

/** Nobody yet: the two ways in, and what waits for somebody's consent. */
function NoOrg() {
  const t = useT();
  return (
    <main className={styles.page} id="content">
      <EmptyState
        icon={<UserPlus aria-hidden />}
        title={t('directory:no_org')}
        action={
          <span className={styles.ways}>
            <Link to="/join">{t('directory:join')}</Link>
            <Link to="/create">{t('directory:create')}</Link>
            <Link to="/friends">{t('directory:friends.title')}</Link>
          </span>
        }
      >
        {t('directory:no_org_text')}
      </EmptyState>
      <div className={styles.list}>
        <OwnRequests />
      </div>
    </main>
  );
}
