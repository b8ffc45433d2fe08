/** Who is signed in here, and at which server. */
import { createStore } from 'zustand/vanilla';
import type { ServerInfo, User } from '~/api/types';

export interface SessionState {
  status: 'starting' | 'anonymous' | 'signed_in' | 'unreachable';
  server: ServerInfo | undefined;
  me: User | undefined;
  /** The session ended from elsewhere; the sign-in page says so. */
  endedElsewhere: boolean;
}

export const session = createStore<SessionState>(() => ({
  status: 'starting',
  server: undefined,
  me: undefined,
  endedElsewhere: false,
}));

/** The id of the person signed in; only called from what exists while someone is. */
export function myId(): string {
  return session.getState().me?.id ?? '';
}
