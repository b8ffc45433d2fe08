import { useNavigate } from '@tanstack/react-router';
import type { SignedIn } from '~/api/types';
import { sessionLifecycle } from '~/core/lifecycle';

/** What follows on every way of signing in: the client starts for this person, and goes where they wanted to. */
export function useEnter(to: string | undefined): (who: SignedIn) => Promise<void> {
  const navigate = useNavigate();
  return async ({ user, session }) => {
    await sessionLifecycle().begin(user, session);
    await navigate({ to: to ?? '/', replace: true });
  };
}
