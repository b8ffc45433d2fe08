import { lazyRouteComponent } from '@tanstack/react-router';

export const settingsScreens = {
  me: lazyRouteComponent(() => import('./screens/Me'), 'Me'),
};
