import { ask, client } from '~/api/client';
import type { WaitingItem } from '~/api/types';

export async function readWaiting(): Promise<WaitingItem[]> {
  const { items } = await ask(client.GET('/waiting'));
  return items.sort(byPromise);
}

/** The oldest promise first: by when it was due, else since when it waits. */
export function byPromise(a: WaitingItem, b: WaitingItem): number {
  const at = (item: WaitingItem) => item.due ?? item.since;
  return at(a) - at(b) || (a.id < b.id ? -1 : 1);
}
