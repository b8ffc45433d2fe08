import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { updates } from '~/core/pwa';
import { device } from '~/core/store/device';
import { storage } from '~/core/store/storage';
import { ConnectionBanner } from './ConnectionBanner';

// The server is there when these are needed, so they can wait for being needed.
const RareBanners = lazy(() => import('./RareBanners').then((m) => ({ default: m.RareBanners })));

/** What is true of the whole app, above every place: what it is, what is safe, what to do. */
export function Banners() {
  const seen = useStore(device);
  const ready = useStore(updates, (s) => s.ready);
  const full = useStore(storage, (s) => s.full);
  const rare = ready || full || seen.update || seen.storage === 'refused' || seen.clockMinutes !== 0;
  return (
    <>
      <ConnectionBanner />
      <div role="status">
        {rare ? (
          <Suspense>
            <RareBanners />
          </Suspense>
        ) : null}
      </div>
    </>
  );
}
