import { screen } from '~/ui/screen';

export const directoryScreens = {
  contacts: screen(() => import('./screens/Contacts'), 'Contacts'),
  friends: screen(() => import('./screens/Friends'), 'Friends'),
  person: screen(() => import('./screens/Person'), 'Person'),
  manage: screen(() => import('./screens/manage/Manage'), 'Manage'),
  members: screen(() => import('./screens/manage/Members'), 'Members'),
  invitations: screen(() => import('./screens/manage/Invitations'), 'Invitations'),
  requests: screen(() => import('./screens/manage/Requests'), 'Requests'),
  accounts: screen(() => import('./screens/manage/Accounts'), 'Accounts'),
  recoveries: screen(() => import('./screens/manage/Recoveries'), 'Recoveries'),
  settings: screen(() => import('./screens/manage/Settings'), 'Settings'),
  audit: screen(() => import('./screens/manage/Audit'), 'Audit'),
};
