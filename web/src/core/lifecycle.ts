/** What features ask of the app's session: begin it after signing in, end it. The app sets both at start. */
import type { Session, User } from '~/api/types';

interface Lifecycle {
  /** A session on a shared computer keeps nothing on the device. */
  begin(user: User, session: Session): Promise<void>;
  /** Signs out at the server, then deletes all that is kept here. */
  end(): Promise<void>;
  unsent(): number;
  reconnect(): void;
}

let lifecycle: Lifecycle | undefined;

export function setLifecycle(value: Lifecycle): void {
  lifecycle = value;
}

export function sessionLifecycle(): Lifecycle {
  if (!lifecycle) throw new Error('the app has not started');
  return lifecycle;
}
