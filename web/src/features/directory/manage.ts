/** What owners and administrators do for their organisation. */
import { ask, client } from '~/api/client';
import type {
  Asking,
  AuditEntry,
  Card,
  Invitation,
  InvitationChange,
  Member,
  MemberChange,
  NewInvitation,
  NewIssued,
  Org,
  OrgSettings,
  Page,
  Recovery,
} from '~/api/types';
import { putOrgs } from './store';

const of = (id: string) => ({ path: { id } });

export const manageKey = (org: string, what: string) => ['org', org, 'manage', what] as const;

export const readInvitations = (org: string, cursor?: string): Promise<Page<Invitation>> =>
  ask(client.GET('/orgs/{id}/invitations', { params: { ...of(org), query: cursor ? { cursor } : {} } }));

export const invite = (org: string, body: NewInvitation): Promise<Invitation> =>
  ask(client.POST('/orgs/{id}/invitations', { params: of(org), body }));

export const changeInvitation = (org: string, invitation: string, body: InvitationChange): Promise<Invitation> =>
  ask(client.PATCH('/orgs/{id}/invitations/{invitation}', { params: { path: { id: org, invitation } }, body }));

export const revokeInvitation = (org: string, invitation: string): Promise<unknown> =>
  ask(client.DELETE('/orgs/{id}/invitations/{invitation}', { params: { path: { id: org, invitation } } }));

export const readRequests = (org: string, cursor?: string): Promise<Page<Asking>> =>
  ask(
    client.GET('/orgs/{id}/join-requests', {
      params: { ...of(org), query: { state: 'pending', ...(cursor ? { cursor } : {}) } },
    }),
  );

/** `keepalive`: the page may be gone before the answer comes. */
export const decideRequest = (org: string, request: string, approve: boolean, keepalive = false): Promise<unknown> => {
  const options = { params: { path: { id: org, request } }, keepalive };
  return approve
    ? ask(client.POST('/orgs/{id}/join-requests/{request}/approve', options))
    : ask(client.POST('/orgs/{id}/join-requests/{request}/refuse', options));
};

export const changeMember = (org: string, user: string, body: MemberChange): Promise<Member> =>
  ask(client.PATCH('/orgs/{id}/members/{user}', { params: { path: { id: org, user } }, body }));

export const removeMember = (org: string, user: string): Promise<unknown> =>
  ask(client.DELETE('/orgs/{id}/members/{user}', { params: { path: { id: org, user } } }));

export async function renameOrg(org: string, name: string): Promise<Org> {
  const changed = await ask(client.PATCH('/orgs/{id}', { params: of(org), body: { name } }));
  putOrgs([changed]);
  return changed;
}

export const readSettings = (org: string): Promise<OrgSettings> =>
  ask(client.GET('/orgs/{id}/settings', { params: of(org) })) as Promise<OrgSettings>;

export const changeSettings = (org: string, change: OrgSettings): Promise<OrgSettings> =>
  ask(client.PATCH('/orgs/{id}/settings', { params: of(org), body: { ...change } })) as Promise<OrgSettings>;

export const handOver = (org: string, user: string, then: 'admin' | 'member' | 'leave'): Promise<unknown> =>
  ask(client.POST('/orgs/{id}/handover', { params: of(org), body: { user, then } }));

export async function closeOrg(org: string, name: string, wait_days: number): Promise<void> {
  putOrgs([await ask(client.POST('/orgs/{id}/closing', { params: of(org), body: { name, wait_days } }))]);
}

export async function keepOrg(org: string): Promise<void> {
  putOrgs([await ask(client.DELETE('/orgs/{id}/closing', { params: of(org) }))]);
}

export const readAudit = (org: string, cursor?: string): Promise<Page<AuditEntry>> =>
  ask(client.GET('/orgs/{id}/audit', { params: { ...of(org), query: cursor ? { cursor } : {} } }));

export const exportAddress = (org: string) => `/api/v1/orgs/${org}/export`;

/** Makes accounts with cards, at most 50 at once. The same key gives the same answer, without the PINs. */
export const issueAccounts = (org: string, people: NewIssued[], key: string): Promise<{ cards: Card[] }> =>
  ask(client.POST('/orgs/{id}/accounts', { params: of(org), headers: { 'Idempotency-Key': key }, body: { people } }));

/** A new PIN for an account that never signed in. */
export const renewCard = (org: string, user: string): Promise<Card> =>
  ask(client.POST('/orgs/{id}/members/{user}/card', { params: { path: { id: org, user } } }));

export const askRecovery = (org: string, user: string, reason: string): Promise<unknown> =>
  ask(client.POST('/orgs/{id}/members/{user}/recovery', { params: { path: { id: org, user } }, body: { reason } }));

export const readRecoveries = (org: string, cursor?: string): Promise<Page<Recovery>> =>
  ask(client.GET('/orgs/{id}/recoveries', { params: { ...of(org), query: cursor ? { cursor } : {} } }));

export const approveRecovery = (org: string, recovery: string): Promise<{ card?: Card | null }> =>
  ask(client.POST('/orgs/{id}/recoveries/{recovery}/approve', { params: { path: { id: org, recovery } } }));

export const recoveryCard = (org: string, recovery: string): Promise<Card> =>
  ask(client.POST('/orgs/{id}/recoveries/{recovery}/card', { params: { path: { id: org, recovery } } }));
