import { screen } from '~/ui/screen';

export const onboardingScreens = {
  welcome: screen(() => import('./screens/Welcome'), 'Welcome'),
  create: screen(() => import('./screens/CreateOrg'), 'CreateOrg'),
  invite: screen(() => import('./screens/Invite'), 'Invite'),
  join: screen(() => import('./screens/JoinCode'), 'JoinCode'),
  invitation: screen(() => import('./screens/Join'), 'Join'),
};
