import { screen } from '~/ui/screen';

export const notifyScreens = {
  reach: screen(() => import('./screens/Reach'), 'Reach'),
};
