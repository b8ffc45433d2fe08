import { screen } from '~/ui/screen';

export const scanScreens = { scan: screen(() => import('./screens/Scan'), 'Scan') };
