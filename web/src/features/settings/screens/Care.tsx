import { Link } from '@tanstack/react-router';
import { setCare } from '~/core/settings';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import type { Destination } from '~/ui/destination';
import { usePlaces } from '~/ui/destination';
import styles from './Care.module.css';

/** The doors of the care view, as far as they lead somewhere. */
const DOORS = ['chat', 'call', 'scan'];

/** Few doors, large ones: the first page of whoever wants no more. */
export function Care() {
  const t = useT();
  const { all } = usePlaces();
  const doors = DOORS.map((id) => all.find((d) => d.id === id)).filter((d) => d !== undefined);
  const waiting = all.find((d) => d.id === 'waiting');
  return (
    <main className={styles.page} id="content">
      <h1 className="visually-hidden">{t('settings:care.title')}</h1>
      <nav className={styles.doors} aria-label={t('common:main_nav')}>
        {doors.map((d) => (
          <Door key={d.id} destination={d} />
        ))}
        {waiting ? <Door destination={waiting} onlyIfWaiting /> : null}
      </nav>
      <div className={styles.foot}>
        <Link to="/me" className={styles.link}>
          {t('settings:care.settings')}
        </Link>
        <Button onPress={() => setCare(false)}>{t('settings:care.leave')}</Button>
      </div>
    </main>
  );
}

const none = () => 0;

function Door({ destination: d, onlyIfWaiting }: { destination: Destination; onlyIfWaiting?: boolean }) {
  const t = useT();
  const useCount = d.useCount ?? none;
  const count = useCount();
  const Icon = d.icon;
  if (onlyIfWaiting && count === 0) return null;
  return (
    <Link {...d.link} className={styles.door}>
      <Icon aria-hidden />
      <span>{d.label(t)}</span>
      {count > 0 ? (
        <span className={styles.count}>
          <span aria-hidden>{count > 99 ? '99+' : count}</span>
          <span className="visually-hidden">{t(d.id === 'chat' ? 'common:waiting' : 'common:waits', { count })}</span>
        </span>
      ) : null}
    </Link>
  );
}
