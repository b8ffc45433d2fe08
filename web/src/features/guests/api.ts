import { ask, client } from '~/api/client';
import type { GuestLink, NewGuestLink, Page } from '~/api/types';

const of = (id: string) => ({ path: { id } });

export const guestLinksKey = (org: string) => ['guest_links', org] as const;

export const readGuestLinks = (org: string, cursor?: string): Promise<Page<GuestLink>> =>
  ask(client.GET('/orgs/{id}/guest-links', { params: { ...of(org), query: cursor ? { cursor } : {} } }));

export const makeGuestLink = (org: string, body: NewGuestLink): Promise<GuestLink> =>
  ask(client.POST('/orgs/{id}/guest-links', { params: of(org), body }));

/** With `guests`, those who came by it go too, a moment later. */
export const revokeGuestLink = async (org: string, link: string, guests: boolean): Promise<void> => {
  const params = { path: { id: org, link }, query: guests ? { end_guests: true } : {} };
  await ask(client.DELETE('/orgs/{id}/guest-links/{link}', { params }));
};
