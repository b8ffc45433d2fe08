import { ConnectionBanner } from './ConnectionBanner';

/** What is true of the whole app, above every place. */
export function Banners() {
  return <ConnectionBanner />;
}
