import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { ask, client } from '~/api/client';
import type { Accepted, Invitation, InvitationPreview, JoinRequest, Org } from '~/api/types';
import { learnPeople } from '~/core/store/people';
import { membersKey, putOrgs } from './store';

const PAGE = 100;

/** Members of an organisation whose name contains `q`, page by page. */
export function useMembers(org: string | undefined, q: string, state: 'active' | 'suspended' = 'active') {
  return useInfiniteQuery({
    queryKey: [...membersKey(org ?? ''), q, state],
    enabled: Boolean(org),
    initialPageParam: undefined as string | undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam }) => {
      const query = { limit: PAGE, state, ...(q ? { q } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      const page = await ask(client.GET('/orgs/{id}/members', { params: { path: { id: org ?? '' }, query } }));
      learnPeople(page.items.map((m) => ({ id: m.user, name: m.name })));
      return page;
    },
    getNextPageParam: (page) => page.next ?? undefined,
  });
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
