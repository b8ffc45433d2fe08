import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleAlert, CircleCheck, CircleMinus, CircleX, Lock } from 'lucide-react';
import { useState } from 'react';
import { asAppError } from '~/api/client';
import type { HealthItem } from '~/api/types';
import { now } from '~/core/clock';
import { useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Tag } from '~/ui/Badge';
import { Button } from '~/ui/Button';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import { InnerPage } from '~/ui/InnerPage';
import { SkeletonRows } from '~/ui/Skeleton';
import { useSubmit } from '~/ui/useSubmit';
import { readHealth, testHealth } from '../api';
import { useHealthWords } from '../words';
import styles from './Server.module.css';

const HEALTH = ['admin', 'health'];
const LOOKS = {
  ok: { tone: 'good', Icon: CircleCheck },
  warn: { tone: 'warn', Icon: CircleAlert },
  bad: { tone: 'bad', Icon: CircleX },
  skipped: { tone: 'plain', Icon: CircleMinus },
} as const;
const ORDER = ['bad', 'warn', 'ok', 'skipped'];

/** How the server does: each part with what was seen, how to mend it, and a test. */
export function Server() {
  const t = useT();
  const health = useQuery({ queryKey: HEALTH, queryFn: readHealth, staleTime: 60_000 });
  const items = health.data && [...health.data].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return (
    <InnerPage title={t('admin:title')} back={{ to: '/me' }}>
      <section className={styles.section} aria-labelledby="health">
        <h2 id="health">{t('admin:health')}</h2>
        {health.isError && asAppError(health.error).code === 'forbidden' ? (
          <EmptyState icon={<Lock aria-hidden />} title={t('admin:not_yours')}>
            {t('admin:not_yours_how')}
          </EmptyState>
        ) : health.isError && !items ? (
          <FailedState error={health.error} retry={() => void health.refetch()} />
        ) : !items ? (
          <>
            <p className={styles.below}>{t('admin:looking')}</p>
            <SkeletonRows rows={8} />
          </>
        ) : items.length === 0 ? (
          <EmptyState icon={<CircleMinus aria-hidden />} title={t('admin:nothing')} />
        ) : (
          <>
            <Summary items={items} />
            <ul className={styles.list}>
              {items.map((item) => (
                <Row key={item.check} item={item} />
              ))}
            </ul>
          </>
        )}
      </section>
    </InnerPage>
  );
}

function Summary({ items }: { items: readonly HealthItem[] }) {
  const t = useT();
  const bad = items.filter((item) => item.state === 'bad').length;
  const warn = items.filter((item) => item.state === 'warn').length;
  const words = bad
    ? t('admin:some_bad', { count: bad })
    : warn
      ? t('admin:some_warn', { count: warn })
      : t('admin:all_well');
  return (
    <p className={styles.summary} role="status">
      {words}
    </p>
  );
}

function Row({ item }: { item: HealthItem }) {
  const t = useT();
  const locale = useLocale();
  const queries = useQueryClient();
  const { name, seen, fix } = useHealthWords()(item);
  const { tone, Icon } = LOOKS[item.state];
  const [asking, setAsking] = useState(false);
  const [to, setTo] = useState('');
  const test = useSubmit(async (address?: string) => {
    const found = await testHealth(item.check, address);
    queries.setQueryData<HealthItem[]>(HEALTH, (all) => all?.map((one) => (one.check === found.check ? found : one)));
    if (address) setAsking(false);
  });
  return (
    <li className={styles.row} aria-label={name}>
      <Icon aria-hidden className={styles[item.state]} />
      <div className={styles.words}>
        <h3 className={styles.name}>
          {name} <Tag tone={tone}>{t(`admin:state.${item.state}`)}</Tag>
        </h3>
        <p>{seen}</p>
        {fix ? <p className={styles.fix}>{t('admin:how', { fix })}</p> : null}
        <p className={styles.below}>{t('admin:looked', { when: listTime(locale, item.at, now()) })}</p>
        <FormError>{test.general('to')}</FormError>
        {asking ? (
          <form
            className={styles.form}
            onSubmit={(e) => {
              e.preventDefault();
              void test.submit(to);
            }}
          >
            <Field
              type={item.check === 'sms' ? 'tel' : 'email'}
              label={t('admin:send_to')}
              value={to}
              onChange={setTo}
              error={test.at('to')}
              isRequired
              autoFocus
            />
            <Button type="submit" kind="primary" isPending={test.pending}>
              {t('admin:send')}
            </Button>
            <Button onPress={() => setAsking(false)}>{t('common:cancel')}</Button>
          </form>
        ) : null}
      </div>
      <div className={styles.acts}>
        {item.sends && !asking ? <Button onPress={() => setAsking(true)}>{t('admin:send_test')}</Button> : null}
        <Button isPending={test.pending} onPress={() => void test.submit()} aria-label={t('admin:test_it', { name })}>
          {t('admin:test')}
        </Button>
      </div>
    </li>
  );
}
