import { Clock, HardDrive } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useStore } from 'zustand';
import { device } from '~/core/store/device';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import styles from './Banners.module.css';
import { ConnectionBanner } from './ConnectionBanner';
import { StorageBanner, UpdateBanner } from './UpdateBanner';

/** What is true of the whole app, above every place: what it is, what is safe, what to do. */
export function Banners() {
  const t = useT();
  const { clockMinutes, storage } = useStore(device);
  const off = Math.abs(clockMinutes);
  return (
    <>
      <ConnectionBanner />
      <StorageBanner />
      <UpdateBanner />
      {storage === 'refused' ? (
        <Banner icon={<HardDrive aria-hidden size={16} />} dismiss={t('common:understood')}>
          {t('common:storage.refused')}
        </Banner>
      ) : null}
      {off > 0 ? (
        <Banner icon={<Clock aria-hidden size={16} />} dismiss={t('common:understood')}>
          {t(clockMinutes > 0 ? 'common:clock.ahead' : 'common:clock.behind', {
            time:
              off < 60
                ? t('common:clock.minutes', { count: off })
                : t('common:clock.hours', { count: Math.round(off / 60) }),
          })}
        </Banner>
      ) : null}
    </>
  );
}

function Banner({ icon, dismiss, children }: { icon: ReactNode; dismiss: string; children: ReactNode }) {
  const [away, setAway] = useState(false);
  if (away) return null;
  return (
    <div className={styles.banner} role="status">
      {icon}
      {children}
      <Button kind="quiet" onPress={() => setAway(true)}>
        {dismiss}
      </Button>
    </div>
  );
}
