import { useInfiniteQuery } from '@tanstack/react-query';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { Row, Rows, Section } from '~/ui/Section';
import { SkeletonRows } from '~/ui/Skeleton';
import { actKey } from '../../acts';
import { manageKey, readAudit } from '../../manage';
import { useManaged } from './Manage';

/** The chain of what owners and administrators did; nothing can be taken out of it unseen. */
export function Audit() {
  const t = useT();
  const locale = useLocale();
  const org = useManaged();
  const id = org?.id ?? '';
  const list = useInfiniteQuery({
    queryKey: manageKey(id, 'audit'),
    staleTime: 0,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => readAudit(id, pageParam),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const items = list.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <Section title={t('directory:manage.audit')} text={t('directory:audit.text')}>
      {list.isError ? (
        <FailedState error={list.error} retry={() => void list.refetch()} />
      ) : !list.data ? (
        <SkeletonRows />
      ) : items.length === 0 ? (
        <EmptyState title={t('directory:audit.none')} />
      ) : (
        <Rows>
          {items.map((e) => (
            <Row
              key={e.seq}
              words={t('directory:audit.did', {
                who: e.actor.name ?? t('directory:audit.server'),
                what: t(`directory:acts.${actKey(e.action)}`),
              })}
              below={`${fullTime(locale, e.at)} · ${e.object} · #${e.seq}`}
            />
          ))}
        </Rows>
      )}
      {list.hasNextPage ? (
        <Button isPending={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
          {t('directory:more')}
        </Button>
      ) : null}
    </Section>
  );
}
