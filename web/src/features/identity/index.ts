/** What the rest of the client may use of identity. */
export { endSession, readSessions, renameMe, type SignedIn, signIn, signUp } from './api';
export { deviceName } from './device';
export { LoginShown } from './parts/LoginShown';
export { SignUpForm } from './parts/SignUpForm';
