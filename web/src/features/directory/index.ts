/** What the rest of the client may use of the directory. */
export {
  acceptInvitation,
  createInvitation,
  createOrg,
  OWN_REQUESTS,
  readInvitation,
  useMembers,
} from './api';
export { FRIENDS } from './friends';
export { MemberPicker } from './parts/MemberPicker';
export { ProfileDialog } from './parts/ProfileDialog';
export { directory, forgetDirectory, orgHandler, putOrgs, readOrgs } from './store';
