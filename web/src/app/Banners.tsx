import { ConnectionBanner } from './ConnectionBanner';
import { StorageBanner, UpdateBanner } from './UpdateBanner';

/** What is true of the whole app, above every place. */
export function Banners() {
  return (
    <>
      <ConnectionBanner />
      <StorageBanner />
      <UpdateBanner />
    </>
  );
}
