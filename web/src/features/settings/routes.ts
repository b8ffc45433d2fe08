import { screen } from '~/ui/screen';

export const settingsScreens = {
  care: screen(() => import('./screens/Care'), 'Care'),
  me: screen(() => import('./screens/Me'), 'Me'),
};
