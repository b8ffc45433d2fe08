import { Link, Outlet, useLocation, useParams } from '@tanstack/react-router';
import { Lock } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import type { Org } from '~/api/types';
import { useT } from '~/i18n';
import { EmptyState } from '~/ui/EmptyState';
import { InnerPage } from '~/ui/InnerPage';
import { SkeletonRows } from '~/ui/Skeleton';
import { directory } from '../../store';
import styles from './Manage.module.css';

export const mayManage = (org: Org) => org.role === 'owner' || org.role === 'admin';

/** The organisation one looks after; only shown to those who do. */
export function useManaged(): Org | undefined {
  const { org } = useParams({ strict: false });
  return useStore(directory, (s) => (org ? s.orgs[org] : undefined));
}

/** Everything an organisation's owners and administrators look after, a place each. */
export function Manage() {
  const t = useT();
  const loaded = useStore(directory, (s) => s.loaded);
  const org = useManaged();
  const nav = useRef<HTMLElement>(null);
  const here = useLocation({ select: (l) => l.pathname });
  // On a phone the row of places is wider than the screen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when another place is current, or the row appears
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [here, org === undefined]);
  if (!org || !mayManage(org)) {
    return (
      <InnerPage title={t('directory:manage.title')} back={{ to: '/contacts' }}>
        {loaded ? <EmptyState icon={<Lock aria-hidden />} title={t('directory:manage.not_yours')} /> : <SkeletonRows />}
      </InnerPage>
    );
  }
  const places = [
    { to: '/org/$org/manage/members', label: t('directory:manage.members') },
    { to: '/org/$org/manage/invitations', label: t('directory:manage.invitations') },
    { to: '/org/$org/manage/requests', label: t('directory:manage.requests') },
    { to: '/org/$org/manage/accounts', label: t('directory:manage.accounts') },
    { to: '/org/$org/manage/recoveries', label: t('directory:manage.recoveries') },
    { to: '/org/$org/manage/settings', label: t('directory:manage.settings') },
    { to: '/org/$org/manage/audit', label: t('directory:manage.audit') },
  ] as const;
  return (
    <InnerPage
      title={t('directory:manage.of', { org: org.name })}
      back={{ to: '/contacts/$org', params: { org: org.id } }}
      wide
    >
      <nav ref={nav} className={styles.places} aria-label={t('directory:manage.title')}>
        {places.map((p) => (
          <Link
            key={p.to}
            to={p.to}
            params={{ org: org.id }}
            className={styles.place}
            activeProps={{ className: `${styles.place} ${styles.current}`, 'aria-current': 'page' }}
          >
            {p.label}
          </Link>
        ))}
      </nav>
      <Outlet />
    </InnerPage>
  );
}
