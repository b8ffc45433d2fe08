import { Link } from '@tanstack/react-router';
import {
  Building2,
  ClipboardList,
  KeyRound,
  Pin,
  PinOff,
  Search,
  Settings2,
  Ticket,
  UserPlus,
  Users,
} from 'lucide-react';
import { useStore } from 'zustand';
import type { Org } from '~/api/types';
import { settings } from '~/core/settings';
import { directory } from '~/features/directory';
import { Checklist } from '~/features/onboarding';
import { openSearch } from '~/features/search';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { type Destination, usePlaces } from '~/ui/destination';
import { InnerPage } from '~/ui/InnerPage';
import { SkeletonRows } from '~/ui/Skeleton';
import { NoTeam, Today } from '../parts/Today';
import styles from './Workbench.module.css';

/** What is about the team today, then everything that has no slot of its own. */
export function Workbench() {
  const t = useT();
  const { orgs, loaded } = useStore(directory);
  const list = Object.values(orgs);
  const managed = list.filter((o) => (o.role === 'owner' || o.role === 'admin') && o.state !== 'suspended');
  return (
    <InnerPage
      title={t('workbench:title')}
      wide
      end={
        <IconButton label={t('search:open')} onPress={openSearch}>
          <Search aria-hidden />
        </IconButton>
      }
    >
      {!loaded ? (
        <SkeletonRows rows={2} />
      ) : list.length === 0 ? (
        <NoTeam />
      ) : (
        list.map((org) => <Today key={org.id} org={org} several={list.length > 1} />)
      )}
      <Checklist />
      <Cards />
      {managed.map((org) => (
        <Managed key={org.id} org={org} several={managed.length > 1} />
      ))}
    </InnerPage>
  );
}

/** Everything that is in no slot; what is pinned comes first. */
function Cards() {
  const t = useT();
  const { slots, all } = usePlaces();
  const pins = useStore(settings, (s) => s.pins);
  const shown = all.filter((d) => !d.org && !slots.includes(d));
  const rank = (d: Destination) => (pins.includes(d.id) ? pins.indexOf(d.id) : pins.length);
  shown.sort((a, b) => rank(a) - rank(b));
  if (shown.length === 0) return null;
  return (
    <section aria-labelledby="apps">
      <h2 id="apps">{t('workbench:apps')}</h2>
      <ul className={styles.cards}>
        {shown.map((d) => (
          <Card key={d.id} destination={d} pinned={pins.includes(d.id)} />
        ))}
      </ul>
    </section>
  );
}

function Card({ destination: d, pinned }: { destination: Destination; pinned: boolean }) {
  const t = useT();
  const Icon = d.icon;
  const label = d.label(t);
  const toggle = () => {
    const { pins } = settings.getState();
    settings.setState({ pins: pinned ? pins.filter((id) => id !== d.id) : [...pins, d.id] });
  };
  return (
    <li className={styles.card}>
      <Link {...d.link} className={styles.to}>
        <span className={styles.icon}>
          <Icon aria-hidden />
        </span>
        <span className={styles.words}>
          <span className={styles.name}>{label}</span>
          {d.text ? <span className={styles.text}>{d.text(t)}</span> : null}
        </span>
      </Link>
      <IconButton
        label={pinned ? t('workbench:unpin', { name: label }) : t('workbench:pin', { name: label })}
        active={pinned}
        onPress={toggle}
      >
        {pinned ? <PinOff aria-hidden /> : <Pin aria-hidden />}
      </IconButton>
    </li>
  );
}

const ENTRIES = [
  { to: '/org/$org/manage/members', icon: Users, label: 'directory:manage.members' },
  { to: '/org/$org/manage/invitations', icon: Ticket, label: 'directory:manage.invitations' },
  { to: '/org/$org/manage/requests', icon: UserPlus, label: 'directory:manage.requests' },
  { to: '/org/$org/manage/accounts', icon: Building2, label: 'directory:manage.accounts' },
  { to: '/org/$org/manage/recoveries', icon: KeyRound, label: 'directory:manage.recoveries' },
  { to: '/org/$org/manage/settings', icon: Settings2, label: 'directory:manage.settings' },
  { to: '/org/$org/manage/audit', icon: ClipboardList, label: 'directory:manage.audit' },
] as const;

/** The doors of whoever looks after an organisation. */
function Managed({ org, several }: { org: Org; several: boolean }) {
  const t = useT();
  const id = `manage-${org.id}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{several ? t('directory:manage.of', { org: org.name }) : t('directory:manage.title')}</h2>
      <ul className={styles.entries}>
        {ENTRIES.map(({ to, icon: Icon, label }) => (
          <li key={to}>
            <Link to={to} params={{ org: org.id }} className={styles.entry}>
              <Icon aria-hidden size={18} />
              {t(label)}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
