/** What the rest of the client may use of the directory. */
import { lazy } from 'react';

export {
  acceptInvitation,
  createInvitation,
  createOrg,
  readInvitation,
  useMembers,
} from './api';
export { MemberPicker } from './parts/MemberPicker';
export { directory, forgetDirectory, orgHandler, putOrgs, readOrgs } from './store';

// Nobody needs a card before somebody is pressed.
export const ProfileDialog = lazy(() => import('./parts/ProfileDialog').then((m) => ({ default: m.ProfileDialog })));
