import { WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { sessionLifecycle } from '~/core/lifecycle';
import { connection } from '~/core/store/connection';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import styles from './Banners.module.css';

/** A moment without connection is nobody's business. */
const QUIET_MS = 1_500;

export function ConnectionBanner() {
  const t = useT();
  const state = useStore(connection, (s) => s.state);
  const [shown, setShown] = useState(false);
  const fine = state === 'live' || state === 'ended';
  useEffect(() => {
    if (fine) return setShown(false);
    const timer = setTimeout(() => setShown(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [fine]);
  if (fine || !shown) return <div role="status" />;
  return (
    <div className={styles.banner} role="status" data-state={state}>
      <WifiOff aria-hidden size={16} />
      <span>{t(`common:connection.${state}`)}</span>
      {state === 'refused' ? (
        <Button kind="quiet" onPress={() => location.reload()}>
          {t('common:connection.reload')}
        </Button>
      ) : state === 'connecting' ? null : (
        <Button kind="quiet" onPress={() => sessionLifecycle().reconnect()}>
          {t('common:connection.try_now')}
        </Button>
      )}
    </div>
  );
}
