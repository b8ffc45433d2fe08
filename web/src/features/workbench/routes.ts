import { screen } from '~/ui/screen';

export const workbenchScreens = {
  workbench: screen(() => import('./screens/Workbench'), 'Workbench'),
};
