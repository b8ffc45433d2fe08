import { lazyRouteComponent } from '@tanstack/react-router';

export const directoryScreens = {
  contacts: lazyRouteComponent(() => import('./screens/Contacts'), 'Contacts'),
  friends: lazyRouteComponent(() => import('./screens/Friends'), 'Friends'),
  person: lazyRouteComponent(() => import('./screens/Person'), 'Person'),
  manage: lazyRouteComponent(() => import('./screens/manage/Manage'), 'Manage'),
  members: lazyRouteComponent(() => import('./screens/manage/Members'), 'Members'),
  invitations: lazyRouteComponent(() => import('./screens/manage/Invitations'), 'Invitations'),
  requests: lazyRouteComponent(() => import('./screens/manage/Requests'), 'Requests'),
  accounts: lazyRouteComponent(() => import('./screens/manage/Accounts'), 'Accounts'),
  recoveries: lazyRouteComponent(() => import('./screens/manage/Recoveries'), 'Recoveries'),
  settings: lazyRouteComponent(() => import('./screens/manage/Settings'), 'Settings'),
  audit: lazyRouteComponent(() => import('./screens/manage/Audit'), 'Audit'),
};
