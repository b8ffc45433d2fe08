import { screen } from '~/ui/screen';

export const settingsScreens = {
  me: screen(() => import('./screens/Me'), 'Me'),
};
