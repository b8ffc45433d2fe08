import { Link, Outlet, useMatchRoute, useNavigate, useParams } from '@tanstack/react-router';
import { House, Search } from 'lucide-react';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { notificationState } from '~/core/notifications';
import { settings } from '~/core/settings';
import { session } from '~/core/store/session';
import { useWaitingConversations } from '~/features/chat';
import { openSearch, SearchHost } from '~/features/search';
import { useT } from '~/i18n';
import { cx } from '~/ui/cx';
import { type Destination, PlacesContext, usePlaces } from '~/ui/destination';
import { Mark } from '~/ui/Mark';
import { useLayout } from '~/ui/useLayout';
import { Banners } from './Banners';
import { usePlacesHere } from './places';
import styles from './Shell.module.css';
import { keysOf, useShortcuts } from './shortcuts';

const Help = lazy(() => import('./Help').then((m) => ({ default: m.Help })));

/** Rail or tabs, and the place one is in. */
export function Shell() {
  const layout = useLayout();
  const { conversation } = useParams({ strict: false });
  const t = useT();
  const [helping, setHelping] = useState(false);
  const help = useCallback(() => setHelping(true), []);
  const places = usePlacesHere(help);
  const rail = useMemo(() => [...places.slots, ...places.pinned], [places]);
  useSignedIn();
  useTitle();
  useShortcuts(rail, help);
  useNotifying();
  const care = useStore(settings, (s) => s.care);
  const tabs = layout === 'phone' && !conversation;
  return (
    <PlacesContext value={places}>
      <div className={styles.shell} data-layout={layout}>
        <a className={styles.skip} href="#content">
          {t('common:skip_to_content')}
        </a>
        {layout === 'phone' || care ? null : <Rail />}
        <div className={styles.place}>
          <Banners />
          <div className={styles.content}>
            <Outlet />
          </div>
          {care ? <WayHome hidden={layout === 'phone' && Boolean(conversation)} /> : tabs ? <Tabs /> : null}
        </div>
        <SearchHost />
        {helping ? (
          <Suspense>
            <Help onClose={() => setHelping(false)} />
          </Suspense>
        ) : null}
      </div>
    </PlacesContext>
  );
}

/** The session may end under an open page. */
function useSignedIn(): void {
  const navigate = useNavigate();
  const status = useStore(session, (s) => s.status);
  useEffect(() => {
    if (status === 'anonymous') void navigate({ to: '/sign-in', replace: true });
  }, [status, navigate]);
}

/** The number of conversations that need me, also where only the tab is seen. */
function useTitle(): void {
  const t = useT();
  const waiting = useWaitingConversations();
  const product = t('common:product');
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) ${product}` : product;
  }, [waiting, product]);
}

function Rail() {
  const t = useT();
  const { slots, pinned } = usePlaces();
  return (
    <div className={styles.rail}>
      <span className={styles.mark}>
        <Mark size={32} />
      </span>
      <button
        type="button"
        className={styles.search}
        onClick={openSearch}
        title={`${t('common:search')} ${keysOf('search')}`}
        aria-label={t('common:search')}
        aria-keyshortcuts="Control+K Meta+K"
      >
        <Search aria-hidden />
      </button>
      <nav className={styles.slots} aria-label={t('common:main_nav')}>
        {slots.map((d) => (
          <Slot key={d.id} destination={d} />
        ))}
        {pinned.length > 0 ? <hr className={styles.divider} /> : null}
        {pinned.map((d) => (
          <Slot key={d.id} destination={d} />
        ))}
      </nav>
    </div>
  );
}

function Tabs() {
  const t = useT();
  const { slots } = usePlaces();
  return (
    <nav className={styles.slots} aria-label={t('common:main_nav')}>
      {slots.map((d) => (
        <Slot key={d.id} destination={d} />
      ))}
    </nav>
  );
}

/** In the care view one door leads back from everywhere. */
function WayHome({ hidden }: { hidden: boolean }) {
  const t = useT();
  const there = Boolean(useMatchRoute()({ to: '/home' }));
  return there || hidden ? null : (
    <Link to="/home" className={styles.home}>
      <House aria-hidden />
      {t('common:home')}
    </Link>
  );
}

/** Notifications come with their own chunk, once they are allowed. */
function useNotifying(): void {
  const on = useStore(settings, (s) => s.notifications);
  useEffect(() => {
    if (!on || notificationState() !== 'granted') return;
    void import('./notify').then((m) => m.startNotifying()).catch(() => undefined);
  }, [on]);
}

const none = () => 0;

function Slot({ destination: d }: { destination: Destination }) {
  const t = useT();
  // A destination is declared once with its count or without: the order of hooks never changes for a key.
  const useCount = d.useCount ?? none;
  const count = useCount();
  const current = Boolean(useMatchRoute()({ ...d.link, fuzzy: true }));
  const Icon = d.icon;
  return (
    <Link
      {...d.link}
      className={cx(styles.slot, current && styles.current)}
      aria-current={current ? 'page' : undefined}
    >
      <span className={styles.icon}>
        <Icon aria-hidden />
        {count > 0 ? (
          <span className={styles.badge} aria-hidden>
            {count > 99 ? '99+' : count}
          </span>
        ) : null}
      </span>
      <span className={styles.label}>{d.label(t)}</span>
      {count > 0 ? (
        <span className="visually-hidden">{t(d.id === 'chat' ? 'common:waiting' : 'common:waits', { count })}</span>
      ) : null}
    </Link>
  );
}
