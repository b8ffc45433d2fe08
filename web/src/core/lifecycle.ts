/** What features ask of the app's session: begin it after signing in, end it. The app sets both at start. */
import type { User } from '~/api/types';

interface Lifecycle {
  begin(user: User): Promise<void>;
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
