/** What the rest of the client may use of identity. */
export { endOtherSessions, endSession, needProof, readMe, readSessions, type SignedIn, signIn, signUp } from './api';
export { destinations } from './destinations';
export { deviceName } from './device';
export { LoginShown } from './parts/LoginShown';
export { Notices } from './parts/Notices';
export type { Prove } from './parts/PasswordPart';
export { ProfilePart } from './parts/ProfilePart';
export { SignUpForm } from './parts/SignUpForm';
export { useProof } from './parts/useProof';
