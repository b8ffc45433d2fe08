import { ask, client } from '~/api/client';
import type { Accepted, Invitation, InvitationPreview, JoinRequest, Member, Org } from '~/api/types';
import { putOrgs } from './store';

const SOME = 200;

/** Up to 200 active members, those whose name holds `q`: for whoever wants some of everybody rather than a list. */
export async function someMembers(org: string, q = ''): Promise<Member[]> {
  const query = { limit: SOME, ...(q ? { q } : {}) };
  const { items } = await ask(client.GET('/orgs/{id}/members', { params: { path: { id: org }, query } }));
  return items.filter((m) => m.state === 'active');
}

export async function createOrg(name: string): Promise<Org> {
  const org = await ask(client.POST('/orgs', { body: { name } }));
  putOrgs([org]);
  return org;
}

export function createInvitation(org: string): Promise<Invitation> {
  return ask(client.POST('/orgs/{id}/invitations', { params: { path: { id: org } }, body: {} }));
}

export function readInvitation(code: string): Promise<InvitationPreview> {
  return ask(client.GET('/invitations/{code}', { params: { path: { code } } }));
}

/** In at once, or waiting for somebody to say yes. */
export async function acceptInvitation(code: string): Promise<Accepted> {
  const accepted = await ask(client.POST('/invitations/{code}/accept', { params: { path: { code } } }));
  if (accepted.state === 'joined') putOrgs([accepted.org]);
  return accepted;
}

export const readOwnRequests = (): Promise<{ items: JoinRequest[] }> => ask(client.GET('/me/join-requests'));

export const withdrawRequest = (request: string): Promise<unknown> =>
  ask(client.DELETE('/me/join-requests/{request}', { params: { path: { request } } }));
