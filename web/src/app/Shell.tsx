import { Link, Outlet, useMatchRoute, useNavigate, useParams } from '@tanstack/react-router';
import { type LucideIcon, MessageCircle, User, Users } from 'lucide-react';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { session } from '~/core/store/session';
import { chat } from '~/features/chat';
import { useT } from '~/i18n';
import { cx } from '~/ui/cx';
import { Mark } from '~/ui/Mark';
import { useLayout } from '~/ui/useLayout';
import { ConnectionBanner } from './ConnectionBanner';
import styles from './Shell.module.css';
import { useShortcuts } from './shortcuts';

/** Rail or tabs, and the place one is in. */
export function Shell() {
  const layout = useLayout();
  const { conversation } = useParams({ strict: false });
  const t = useT();
  useSignedIn();
  useShortcuts();
  const tabs = layout === 'phone' && !conversation;
  return (
    <div className={styles.shell} data-layout={layout}>
      <a className={styles.skip} href="#content">
        {t('common:skip_to_content')}
      </a>
      {layout === 'phone' ? null : (
        <div className={styles.rail}>
          <span className={styles.mark}>
            <Mark size={32} />
          </span>
          <Slots />
        </div>
      )}
      <div className={styles.place}>
        <ConnectionBanner />
        <div className={styles.content}>
          <Outlet />
        </div>
        {tabs ? <Slots /> : null}
      </div>
    </div>
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

function Slots() {
  const t = useT();
  const waiting = useStore(chat, (s) => {
    let count = 0;
    for (const c of Object.values(s.conversations)) {
      if ((c.unread > 0 || c.preferences.marked_unread) && (!c.preferences.muted || c.mentioned)) count += 1;
    }
    return count;
  });
  useTitle(waiting, t('common:product'));
  return (
    <nav className={styles.slots} aria-label={t('common:main_nav')}>
      <Slot to="/chat" icon={MessageCircle} label={t('common:slots.chat')} count={waiting} />
      <Slot to="/contacts" icon={Users} label={t('common:slots.contacts')} />
      <Slot to="/me" icon={User} label={t('common:slots.me')} />
    </nav>
  );
}

/** The number of conversations that need me, also where only the tab is seen. */
function useTitle(waiting: number, product: string): void {
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) ${product}` : product;
  }, [waiting, product]);
}

function Slot({
  to,
  icon: Icon,
  label,
  count = 0,
}: {
  to: '/chat' | '/contacts' | '/me';
  icon: LucideIcon;
  label: string;
  count?: number;
}) {
  const t = useT();
  const current = Boolean(useMatchRoute()({ to, fuzzy: true }));
  return (
    <Link to={to} className={cx(styles.slot, current && styles.current)} aria-current={current ? 'page' : undefined}>
      <span className={styles.icon}>
        <Icon aria-hidden />
        {count > 0 ? (
          <span className={styles.badge} aria-hidden>
            {count > 99 ? '99+' : count}
          </span>
        ) : null}
      </span>
      <span className={styles.label}>{label}</span>
      {count > 0 ? <span className="visually-hidden">{t('common:waiting', { count })}</span> : null}
    </Link>
  );
}
