import { Clock, HardDrive } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useStore } from 'zustand';
import { applyUpdate, updates } from '~/core/pwa';
import { device } from '~/core/store/device';
import { storage } from '~/core/store/storage';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import styles from './Banners.module.css';

/** A device that is full or keeps nothing, a newer version, a clock that is wrong. */
export function RareBanners() {
  const t = useT();
  const { clockMinutes, storage: kept } = useStore(device);
  const off = Math.abs(clockMinutes);
  return (
    <>
      <StorageBanner />
      <UpdateBanner />
      {kept === 'refused' ? (
        <Dismissible icon={<HardDrive aria-hidden size={16} />}>{t('common:storage.refused')}</Dismissible>
      ) : null}
      {off > 0 ? (
        <Dismissible icon={<Clock aria-hidden size={16} />}>
          {t(clockMinutes > 0 ? 'common:clock.ahead' : 'common:clock.behind', {
            time:
              off < 60
                ? t('common:clock.minutes', { count: off })
                : t('common:clock.hours', { count: Math.round(off / 60) }),
          })}
        </Dismissible>
      ) : null}
    </>
  );
}

function Dismissible({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  const t = useT();
  const [away, setAway] = useState(false);
  if (away) return null;
  return (
    <div className={styles.banner}>
      {icon}
      <span>{children}</span>
      <Button kind="quiet" onPress={() => setAway(true)}>
        {t('common:understood')}
      </Button>
    </div>
  );
}

/** A newer version is here; when it comes is for the person to say. */
function UpdateBanner() {
  const t = useT();
  const ready = useStore(updates, (s) => s.ready);
  // Without a service worker the page itself has looked.
  const seen = useStore(device, (s) => s.update);
  if (!ready && !seen) return null;
  return (
    <div className={styles.banner} data-testid="update">
      <span>{t('common:update.ready')}</span>
      <Button kind="quiet" onPress={ready ? applyUpdate : () => location.reload()}>
        {t('common:update.apply')}
      </Button>
    </div>
  );
}

/** Said as long as it is so: what is written now must not be lost by closing the page unawares. */
function StorageBanner() {
  const t = useT();
  const full = useStore(storage, (s) => s.full);
  if (!full) return null;
  return (
    <div className={styles.banner} data-testid="storage-full">
      <span>{t('common:storage_full')}</span>
    </div>
  );
}
