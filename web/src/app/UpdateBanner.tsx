import { useStore } from 'zustand';
import { applyUpdate, updates } from '~/core/pwa';
import { device } from '~/core/store/device';
import { storage } from '~/core/store/storage';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import styles from './Banners.module.css';

/** A newer version is here; when it comes is for the person to say. */
export function UpdateBanner() {
  const t = useT();
  const ready = useStore(updates, (s) => s.ready);
  // Without a service worker the page itself has looked.
  const seen = useStore(device, (s) => s.update);
  if (!ready && !seen) return <div role="status" />;
  return (
    <div className={styles.banner} role="status" data-testid="update">
      <span>{t('common:update.ready')}</span>
      <Button kind="quiet" onPress={ready ? applyUpdate : () => location.reload()}>
        {t('common:update.apply')}
      </Button>
    </div>
  );
}

/** Said as long as it is so: what is written now must not be lost by closing the page unawares. */
export function StorageBanner() {
  const t = useT();
  const full = useStore(storage, (s) => s.full);
  if (!full) return <div role="status" />;
  return (
    <div className={styles.banner} role="status" data-testid="storage-full">
      <span>{t('common:storage_full')}</span>
    </div>
  );
}
