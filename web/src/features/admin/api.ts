import { ask, client } from '~/api/client';
import type { HealthItem } from '~/api/types';

export async function readHealth(): Promise<HealthItem[]> {
  const { items } = await ask(client.GET('/admin/health'));
  return items;
}

/** Looks at one thing now; with an address, something is sent there. */
export const testHealth = (check: string, to?: string): Promise<HealthItem> =>
  ask(client.POST('/admin/health/{check}/test', { params: { path: { check } }, body: to ? { to } : {} }));
