import { ask, client } from '~/api/client';

const PAGE = 200;
/** As many pages as are read to find one member whose name was checked; beyond, there may be one. */
const LOOKED = 5;

/** Whether the organisation has checked anybody's name. */
export async function someoneVerified(org: string): Promise<boolean> {
  let cursor: string | undefined;
  for (let page = 0; page < LOOKED; page++) {
    const query = { limit: PAGE, ...(cursor ? { cursor } : {}) };
    const got = await ask(client.GET('/orgs/{id}/members', { params: { path: { id: org }, query } }));
    if (got.items.some((m) => m.verified)) return true;
    cursor = got.next ?? undefined;
    if (!cursor) return false;
  }
  return true;
}
