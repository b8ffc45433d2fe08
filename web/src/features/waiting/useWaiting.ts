import { useQuery } from '@tanstack/react-query';
import { useStore } from 'zustand';
import { WAITING } from '~/api/query';
import { soon } from '~/core/later';
import { readWaiting } from './api';

/** How a planned act on an item is called. */
export const laterKey = (item: { kind: string; id: string }) => `waiting:${item.kind}:${item.id}`;

/** All that waits, without what was just done and may still be taken back. */
export function useWaiting() {
  const query = useQuery({ queryKey: WAITING, queryFn: readWaiting });
  const done = useStore(soon, (s) => s.keys);
  const items = query.data?.filter((item) => !done[laterKey(item)]);
  return { items, query };
}

/** The red number beside its name. */
export function useWaitingCount(): number {
  return useWaiting().items?.length ?? 0;
}
