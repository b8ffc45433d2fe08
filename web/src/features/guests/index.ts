/** What the rest of the client may use: a dialog, read when it is opened. */
import { lazy } from 'react';

export const GuestLinksDialog = lazy(async () => ({
  default: (await import('./parts/GuestLinksDialog')).GuestLinksDialog,
}));
