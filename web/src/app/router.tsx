/** Where everything is: one table of addresses. Screens belong to their features. */
import { createRootRoute, createRoute, createRouter, Link, Outlet, redirect } from '@tanstack/react-router';
import { settings } from '~/core/settings';
import { session } from '~/core/store/session';
import { adminScreens } from '~/features/admin/routes';
import { Chat, ConversationScreen, conversationSearch, NothingOpen } from '~/features/chat/routes';
import { directoryScreens } from '~/features/directory/routes';
import { identityScreens, signInSearch, signUpSearch } from '~/features/identity/routes';
import { notifyScreens } from '~/features/notify/routes';
import { onboardingScreens } from '~/features/onboarding/routes';
import { scanScreens } from '~/features/scan/routes';
import { settingsScreens } from '~/features/settings/routes';
import { waitingScreens } from '~/features/waiting/routes';
import { workbenchScreens } from '~/features/workbench/routes';
import { useT } from '~/i18n';
import { Page } from '~/ui/Page';
import { screen } from '~/ui/screen';
import { Toasts } from '~/ui/Toast';
import { Crash } from './Crash';
import { Shell } from './Shell';

const root = createRootRoute({
  component: () => (
    <>
      <Outlet />
      <Toasts />
    </>
  ),
  notFoundComponent: NotFound,
});

function NotFound() {
  const t = useT();
  return (
    <Page title={t('common:not_found.title')}>
      <Link to="/">{t('common:not_found.home')}</Link>
    </Page>
  );
}

const signedIn = () => session.getState().status === 'signed_in';

/** To the sign-in page, and back here afterwards. */
function needsSession({ location }: { location: { href: string } }): void {
  if (!signedIn()) throw redirect({ to: '/sign-in', search: { to: location.href }, replace: true });
}

function notSignedIn(): void {
  if (signedIn()) throw redirect({ to: '/', replace: true });
}

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    const inside = settings.getState().care ? '/home' : '/chat';
    throw redirect({ to: signedIn() ? inside : '/welcome', replace: true });
  },
});

const outside = [
  createRoute({ getParentRoute: () => root, path: '/welcome', component: onboardingScreens.welcome }),
  createRoute({
    getParentRoute: () => root,
    path: '/sign-in',
    validateSearch: signInSearch,
    beforeLoad: notSignedIn,
    component: identityScreens.signIn,
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/sign-up',
    validateSearch: signUpSearch,
    component: identityScreens.signUp,
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/reset',
    beforeLoad: notSignedIn,
    component: identityScreens.reset,
  }),
  createRoute({ getParentRoute: () => root, path: '/card/$login', component: identityScreens.card }),
  createRoute({
    getParentRoute: () => root,
    path: '/link/$code',
    beforeLoad: needsSession,
    component: identityScreens.approveLink,
  }),
  createRoute({ getParentRoute: () => root, path: '/setup/$token', component: identityScreens.setup }),
  // Linked from nowhere: for those who build the product.
  createRoute({
    getParentRoute: () => root,
    path: '/gallery',
    component: screen(() => import('~/gallery/Gallery'), 'Gallery'),
  }),
  createRoute({ getParentRoute: () => root, path: '/scan', component: scanScreens.scan }),
  createRoute({ getParentRoute: () => root, path: '/join', component: onboardingScreens.join }),
  createRoute({ getParentRoute: () => root, path: '/join/$code', component: onboardingScreens.invitation }),
  createRoute({
    getParentRoute: () => root,
    path: '/create',
    beforeLoad: needsSession,
    component: onboardingScreens.create,
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/invite/$org',
    beforeLoad: needsSession,
    component: onboardingScreens.invite,
  }),
] as const;

const inside = createRoute({
  getParentRoute: () => root,
  id: '_inside',
  beforeLoad: needsSession,
  component: Shell,
});

const chatRoute = createRoute({ getParentRoute: () => inside, path: '/chat', component: Chat });
const nothingOpen = createRoute({ getParentRoute: () => chatRoute, path: '/', component: NothingOpen });
const conversation = createRoute({
  getParentRoute: () => chatRoute,
  path: '/$conversation',
  validateSearch: conversationSearch,
  component: ConversationScreen,
});
const waiting = createRoute({ getParentRoute: () => inside, path: '/waiting', component: waitingScreens.waiting });
const workbench = createRoute({
  getParentRoute: () => inside,
  path: '/workbench',
  component: workbenchScreens.workbench,
});
const contacts = createRoute({ getParentRoute: () => inside, path: '/contacts', component: directoryScreens.contacts });
const contactsOf = createRoute({
  getParentRoute: () => inside,
  path: '/contacts/$org',
  component: directoryScreens.contacts,
});
const care = createRoute({ getParentRoute: () => inside, path: '/home', component: settingsScreens.care });
const me = createRoute({ getParentRoute: () => inside, path: '/me', component: settingsScreens.me });
const security = createRoute({
  getParentRoute: () => inside,
  path: '/me/security',
  component: identityScreens.security,
});
const activity = createRoute({
  getParentRoute: () => inside,
  path: '/me/activity',
  component: identityScreens.activity,
});
const merges = createRoute({ getParentRoute: () => inside, path: '/me/merge', component: identityScreens.merges });
const admin = createRoute({ getParentRoute: () => inside, path: '/admin', component: adminScreens.server });
const reach = createRoute({ getParentRoute: () => inside, path: '/me/reach', component: notifyScreens.reach });
const friends = createRoute({ getParentRoute: () => inside, path: '/friends', component: directoryScreens.friends });
const person = createRoute({ getParentRoute: () => inside, path: '/u/$code', component: directoryScreens.person });

const manage = createRoute({
  getParentRoute: () => inside,
  path: '/org/$org/manage',
  component: directoryScreens.manage,
});
const managed = [
  createRoute({
    getParentRoute: () => manage,
    path: '/',
    beforeLoad: ({ params }) => {
      throw redirect({ to: '/org/$org/manage/members', params: { org: params.org }, replace: true });
    },
  }),
  createRoute({ getParentRoute: () => manage, path: '/members', component: directoryScreens.members }),
  createRoute({ getParentRoute: () => manage, path: '/invitations', component: directoryScreens.invitations }),
  createRoute({ getParentRoute: () => manage, path: '/requests', component: directoryScreens.requests }),
  createRoute({ getParentRoute: () => manage, path: '/accounts', component: directoryScreens.accounts }),
  createRoute({ getParentRoute: () => manage, path: '/recoveries', component: directoryScreens.recoveries }),
  createRoute({ getParentRoute: () => manage, path: '/settings', component: directoryScreens.settings }),
  createRoute({ getParentRoute: () => manage, path: '/audit', component: directoryScreens.audit }),
] as const;

const tree = root.addChildren([
  home,
  ...outside,
  inside.addChildren([
    chatRoute.addChildren([nothingOpen, conversation]),
    care,
    waiting,
    workbench,
    contacts,
    contactsOf,
    me,
    security,
    activity,
    merges,
    admin,
    reach,
    friends,
    person,
    manage.addChildren([...managed]),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  defaultErrorComponent: Crash,
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
