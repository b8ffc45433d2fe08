import { useEffect } from 'react';
import { useStore } from 'zustand';
import { shortId } from '~/core/names';
import { people, wantPeople } from '~/core/store/people';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { PagedList, usePages } from '~/ui/PagedList';
import { Row, Rows, Section } from '~/ui/Section';
import { actKey } from '../../acts';
import { manageKey, readAudit } from '../../manage';
import { useManaged } from './Manage';

const personIn = (object: string) => (object.startsWith('user:') ? object.slice('user:'.length) : undefined);

/** The chain of what owners and administrators did; nothing can be taken out of it unseen. */
export function Audit() {
  const t = useT();
  const locale = useLocale();
  const org = useManaged();
  const id = org?.id ?? '';
  const list = usePages(manageKey(id, 'audit'), (cursor) => readAudit(id, cursor));
  const users = useStore(people, (s) => s.users);
  useEffect(() => wantPeople(list.items.flatMap((e) => personIn(e.object) ?? [])), [list.items]);
  /** To whom or what: people by name, other things by the end of their id, the organisation itself not at all. */
  const whom = (object: string) => {
    const person = personIn(object);
    if (person) return users[person]?.name ?? shortId(person);
    return object.endsWith(id) ? '' : `…${shortId(object)}`;
  };
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
                below={[fullTime(locale, e.at), whom(e.object), `#${e.seq}`].filter(Boolean).join(' · ')}
              />
            ))}
          </Rows>
        )}
      </PagedList>
    </Section>
  );
}
