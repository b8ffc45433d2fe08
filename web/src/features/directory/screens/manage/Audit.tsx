import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { PagedList, usePages } from '~/ui/PagedList';
import { Row, Rows, Section } from '~/ui/Section';
import { actKey } from '../../acts';
import { manageKey, readAudit } from '../../manage';
import { useManaged } from './Manage';

/** The chain of what owners and administrators did; nothing can be taken out of it unseen. */
export function Audit() {
  const t = useT();
  const locale = useLocale();
  const org = useManaged();
  const id = org?.id ?? '';
  const list = usePages(manageKey(id, 'audit'), (cursor) => readAudit(id, cursor));
  return (
    <Section title={t('directory:manage.audit')} text={t('directory:audit.text')}>
      <PagedList list={list} empty={t('directory:audit.none')}>
        {(items) => (
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
      </PagedList>
    </Section>
  );
}
