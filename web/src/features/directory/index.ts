/** What the rest of the client may use of the directory. */
import { lazy } from 'react';

export {
  acceptInvitation,
  createInvitation,
  createOrg,
  readInvitation,
  someMembers,
} from './api';
export { directory, forgetDirectory, membersKey, orgHandler, putOrgs, readOrgs, verifiedKey } from './store';

// Nobody needs these before something is pressed; whoever draws them puts a Suspense around.
export const MemberPicker = lazy(() => import('./parts/MemberPicker').then((m) => ({ default: m.MemberPicker })));
export const ProfileDialog = lazy(() => import('./parts/ProfileDialog').then((m) => ({ default: m.ProfileDialog })));
export const InvitationPoster = lazy(() =>
  import('./parts/InvitationPoster').then((m) => ({ default: m.InvitationPoster })),
);
export { destinations } from './destinations';
export const DirectoryWaiting = lazy(() =>
  import('./parts/WaitingItems').then((m) => ({ default: m.DirectoryWaiting })),
);

/** Whether the organisation has checked anybody's name: asked only where that decides something. */
export const someoneVerified = (org: string): Promise<boolean> =>
  import('./verified').then((m) => m.someoneVerified(org));
