import { lazyRouteComponent } from '@tanstack/react-router';

export const onboardingScreens = {
  welcome: lazyRouteComponent(() => import('./screens/Welcome'), 'Welcome'),
  create: lazyRouteComponent(() => import('./screens/CreateOrg'), 'CreateOrg'),
  invite: lazyRouteComponent(() => import('./screens/Invite'), 'Invite'),
  join: lazyRouteComponent(() => import('./screens/JoinCode'), 'JoinCode'),
  invitation: lazyRouteComponent(() => import('./screens/Join'), 'Join'),
};
