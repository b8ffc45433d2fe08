import { screen } from '~/ui/screen';

export const adminScreens = {
  server: screen(() => import('./screens/Server'), 'Server'),
};
