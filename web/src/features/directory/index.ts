/** What the rest of the client may use of the directory. */
export {
  acceptInvitation,
  createInvitation,
  createOrg,
  readInvitation,
  readOwnRequests,
  useMembers,
  withdrawRequest,
} from './api';
export { MemberPicker } from './parts/MemberPicker';
export { directory, forgetDirectory, orgHandler, putOrgs, readOrgs } from './store';
