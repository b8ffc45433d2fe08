import { screen } from '~/ui/screen';

export const identityScreens = {
  signIn: screen(() => import('./screens/SignIn'), 'SignIn'),
  signUp: screen(() => import('./screens/SignUp'), 'SignUp'),
  card: screen(() => import('./screens/Card'), 'Card'),
  approveLink: screen(() => import('./screens/ApproveLink'), 'ApproveLink'),
  reset: screen(() => import('./screens/Reset'), 'Reset'),
  security: screen(() => import('./screens/Security'), 'Security'),
  activity: screen(() => import('./screens/Activity'), 'Activity'),
  merges: screen(() => import('./screens/Merges'), 'Merges'),
  setup: screen(() => import('./screens/SignUp'), 'Setup'),
};

/** Where to go after signing in: a path of this site only, so that a link cannot lead elsewhere. */
export function signInSearch(search: Record<string, unknown>): { to?: string } {
  const { to } = search;
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) ? { to } : {};
}

export function signUpSearch(search: Record<string, unknown>): { next?: 'create' | 'join' } {
  return search.next === 'join' ? { next: 'join' } : search.next === 'create' ? { next: 'create' } : {};
}
