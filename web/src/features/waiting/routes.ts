import { screen } from '~/ui/screen';

export const waitingScreens = {
  waiting: screen(() => import('./screens/Waiting'), 'Waiting'),
};
