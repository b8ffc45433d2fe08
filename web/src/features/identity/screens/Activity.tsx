import { ask, client } from '~/api/client';
import type { ActivityEntry } from '~/api/types';
import { myId } from '~/core/store/session';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { InnerPage } from '~/ui/InnerPage';
import { PagedList, usePages } from '~/ui/PagedList';
import { Row, Rows } from '~/ui/Section';
import { deviceName } from '../device';

/** Who looked at or changed my account: myself, an administrator, the server. */
export function Activity() {
  const t = useT();
  const locale = useLocale();
  const activity = usePages(['activity'], (cursor) =>
    ask(client.GET('/me/activity', { params: { query: cursor ? { cursor } : {} } })),
  );
  return (
    <InnerPage title={t('identity:activity.title')} back={{ to: '/me' }}>
      <p>{t('identity:activity.text')}</p>
      <PagedList list={activity} rows={5} empty={t('identity:activity.none')}>
        {(entries) => (
          <Rows>
            {entries.map((entry, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a log only grows at its end, which is the first page
              <Row key={i} words={<What entry={entry} />} below={fullTime(locale, entry.at)} />
            ))}
          </Rows>
        )}
      </PagedList>
    </InnerPage>
  );
}

function What({ entry }: { entry: ActivityEntry }) {
  const t = useT();
  const who =
    entry.actor.id === myId()
      ? t('identity:activity.you')
      : entry.actor.kind === 'system'
        ? t('identity:activity.server')
        : (entry.actor.name ?? t('identity:activity.somebody'));
  const device = deviceName(entry.device);
  return (
    <>
      {t('identity:activity.did', { who, what: t(`identity:acts.${actOf(entry.action)}`) })}
      {device ? ` · ${device}` : null}
    </>
  );
}

/** Acts this client has words for; a newer server's are shown as "changed something". */
const ACTS = [
  'looked',
  'signed_in',
  'password',
  'passkey',
  'totp',
  'contact',
  'recovery',
  'merge',
  'role',
  'removed',
  'member',
  'changed',
] as const;
type Act = (typeof ACTS)[number];

function actOf(action: string): Act {
  const last = action.split('.').pop() ?? '';
  if (/see|look|list|view|read/.test(last)) return 'looked';
  if (/session|signed_in|sign_in/.test(last)) return 'signed_in';
  return ACTS.find((act) => last.includes(act)) ?? 'changed';
}
