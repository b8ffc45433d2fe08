import { lazyRouteComponent } from '@tanstack/react-router';

export const identityScreens = {
  signIn: lazyRouteComponent(() => import('./screens/SignIn'), 'SignIn'),
  signUp: lazyRouteComponent(() => import('./screens/SignUp'), 'SignUp'),
  card: lazyRouteComponent(() => import('./screens/Card'), 'Card'),
  approveLink: lazyRouteComponent(() => import('./screens/ApproveLink'), 'ApproveLink'),
  reset: lazyRouteComponent(() => import('./screens/Reset'), 'Reset'),
  security: lazyRouteComponent(() => import('./screens/Security'), 'Security'),
  activity: lazyRouteComponent(() => import('./screens/Activity'), 'Activity'),
  merges: lazyRouteComponent(() => import('./screens/Merges'), 'Merges'),
  setup: lazyRouteComponent(() => import('./screens/SignUp'), 'Setup'),
};

/** Where to go after signing in: a path of this site only, so that a link cannot lead elsewhere. */
export function signInSearch(search: Record<string, unknown>): { to?: string } {
  const { to } = search;
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) ? { to } : {};
}

export function signUpSearch(search: Record<string, unknown>): { next?: 'create' | 'join' } {
  return search.next === 'join' ? { next: 'join' } : search.next === 'create' ? { next: 'create' } : {};
}
