import { keepPreviousData, type QueryKey, useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { asAppError } from '~/api/client';
import type { Page } from '~/api/types';
import { useErrorText, useT } from '~/i18n';
import { Button } from './Button';
import { EmptyState, FailedState } from './EmptyState';
import styles from './PagedList.module.css';
import { SkeletonRows } from './Skeleton';

/** A list that comes page by page, as `PagedList` draws it. */
export interface Pages<T> {
  items: T[];
  /** Nothing has come yet. */
  isPending: boolean;
  error: unknown;
  hasMore: boolean;
  isLoadingMore: boolean;
  more: () => void;
  retry: () => void;
}

/**
 * Reads a list by its cursor. What is shown stays while another question (a search, a filter) is on its way with `keep`;
 * `fresh` reads again each time the screen is opened.
 */
export function usePages<T>(
  queryKey: QueryKey,
  read: (cursor: string | undefined) => Promise<Page<T>>,
  { enabled = true, keep = false, fresh = true }: { enabled?: boolean; keep?: boolean; fresh?: boolean } = {},
): Pages<T> {
  const query = useInfiniteQuery({
    queryKey,
    enabled,
    ...(fresh ? { staleTime: 0 } : {}),
    ...(keep ? { placeholderData: keepPreviousData } : {}),
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const items = useMemo(() => query.data?.pages.flatMap((p) => p.items) ?? [], [query.data]);
  const more = () => void query.fetchNextPage();
  return {
    items,
    isPending: !query.data,
    error: query.error,
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    more,
    // What came stays; only the page that did not come is asked for again.
    retry: query.isFetchNextPageError ? more : () => void query.refetch(),
  };
}

/** Loading, nothing, failed, or the rows with the way to more: the same on every screen. */
export function PagedList<T>({
  list,
  empty,
  rows = 8,
  children,
}: {
  list: Pages<T>;
  /** What to say when there is nothing: words, or a whole `EmptyState`. */
  empty: string | ReactNode;
  /** How many rows the skeleton has. */
  rows?: number;
  children: (items: T[]) => ReactNode;
}) {
  const t = useT();
  if (list.isPending) return list.error ? <FailedState {...list} /> : <SkeletonRows rows={rows} />;
  return (
    <>
      {list.items.length > 0 ? (
        children(list.items)
      ) : list.hasMore || list.error ? null : typeof empty === 'string' ? (
        <EmptyState title={empty} />
      ) : (
        empty
      )}
      {list.error ? (
        <Failure {...list} />
      ) : list.hasMore ? (
        <Button isPending={list.isLoadingMore} onPress={list.more}>
          {t('ui:more')}
        </Button>
      ) : null}
    </>
  );
}

/** At the foot of what is there already. */
function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const t = useT();
  const text = useErrorText();
  return (
    <div className={styles.failure} role="alert">
      <span>{text(asAppError(error))}</span>
      <Button onPress={retry}>{t('common:retry')}</Button>
    </div>
  );
}
