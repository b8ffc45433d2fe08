/** Who is in an organisation. Apart from `api.ts`, which the shell carries. */
import { ask, client } from '~/api/client';
import type { Member, Page } from '~/api/types';
import { learnPeople } from '~/core/store/people';
import { usePages } from '~/ui/PagedList';
import { membersKey } from './store';

const PAGE = 100;

/** Members of an organisation whose name contains `q`, page by page. */
export function useMembers(org: string | undefined, q: string, state: 'active' | 'suspended' = 'active') {
  return usePages([...membersKey(org ?? ''), q, state], (cursor) => readMembers(org ?? '', q, state, cursor), {
    enabled: Boolean(org),
    keep: true,
    fresh: false,
  });
}

export async function readMembers(
  org: string,
  q: string,
  state: 'active' | 'suspended' = 'active',
  cursor?: string,
): Promise<Page<Member>> {
  const query = { limit: PAGE, state, ...(q ? { q } : {}), ...(cursor ? { cursor } : {}) };
  const page = await ask(client.GET('/orgs/{id}/members', { params: { path: { id: org }, query } }));
  learnPeople(page.items.map((m) => ({ id: m.user, name: m.name })));
  return page;
}
