import { lazyRouteComponent } from '@tanstack/react-router';

export const directoryScreens = {
  contacts: lazyRouteComponent(() => import('./screens/Contacts'), 'Contacts'),
};
