import { useQueryClient } from '@tanstack/react-query';
import { EllipsisVertical } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import type { Member, Org } from '~/api/types';
import { sharedNames, shortId } from '~/core/names';
import { myId } from '~/core/store/session';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { IconButton } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { Menu, type MenuAction } from '~/ui/Menu';
import { PagedList } from '~/ui/PagedList';
import { SearchField } from '~/ui/SearchField';
import { Row, Rows, Section } from '~/ui/Section';
import { useMembers } from '../../members';
import { MemberDialogs, type MemberTask } from '../../parts/MemberDialogs';
import { membersKey, verifiedKey } from '../../store';
import { useManaged } from './Manage';
import styles from './Manage.module.css';

/** Administrators act on everyone below owners. */
const mayActOn = (org: Org, member: Member) => org.role === 'owner' || member.role !== 'owner';

/** Everyone in the organisation, with what can be done about each. */
export function Members() {
  const t = useT();
  const queries = useQueryClient();
  const org = useManaged();
  const [q, setQ] = useState('');
  const [state, setState] = useState<'active' | 'suspended'>('active');
  const [task, setTask] = useState<{ kind: MemberTask; member: Member }>();
  const list = useMembers(org?.id, useDeferredValue(q.trim()), state);
  if (!org) return null;
  const { items } = list;
  const acts = (member: Member): MenuAction[] => {
    const act = (kind: MemberTask, label: string, danger = false): MenuAction => ({
      id: kind,
      label,
      danger,
      run: () => setTask({ kind, member }),
    });
    const all = [act('details', t('directory:member.details'))];
    if (org.role === 'owner' || member.role !== 'owner') all.push(act('role', t('directory:member.role')));
    if (member.user === myId()) return all;
    all.push(act('card', t('directory:member.card')));
    all.push(
      member.state === 'suspended'
        ? act('restore', t('directory:member.restore'))
        : act('suspend', t('directory:member.suspend'), true),
    );
    all.push(act('remove', t('directory:member.remove'), true));
    return all;
  };
  const twins = sharedNames(items);
  const below = (m: Member) =>
    [
      twins.has(m.name) ? shortId(m.user) : undefined,
      m.role === 'member' ? undefined : t(`directory:role.${m.role}`),
      m.number ? t('directory:member.number_is', { number: m.number }) : undefined,
      m.verified ? t('directory:member.verified') : t('directory:member.unverified'),
    ]
      .filter(Boolean)
      .join(' · ');
  return (
    <Section title={t('directory:manage.members')}>
      <div className={styles.bar}>
        <SearchField label={t('directory:search')} value={q} onChange={setQ} />
        <Choice
          chips
          label={t('directory:member.state')}
          value={state}
          options={[
            { id: 'active', label: t('directory:member.active') },
            { id: 'suspended', label: t('directory:member.suspended') },
          ]}
          onChange={setState}
        />
      </div>
      <PagedList list={list} empty={t('directory:none')}>
        {(items) => (
          <Rows>
            {items.map((m) => (
              <Row
                key={m.user}
                face={<Avatar id={m.user} name={m.name} size="small" />}
                words={m.name}
                below={below(m)}
              >
                {mayActOn(org, m) ? (
                  <Menu label={t('directory:member.acts', { name: m.name })} actions={acts(m)}>
                    <IconButton label={t('directory:member.acts', { name: m.name })}>
                      <EllipsisVertical aria-hidden />
                    </IconButton>
                  </Menu>
                ) : null}
              </Row>
            ))}
          </Rows>
        )}
      </PagedList>
      {task ? (
        <MemberDialogs
          org={org}
          task={task.kind}
          member={task.member}
          onClose={() => setTask(undefined)}
          onDone={() => {
            setTask(undefined);
            void queries.invalidateQueries({ queryKey: membersKey(org.id) });
            queries.removeQueries({ queryKey: verifiedKey(org.id) });
          }}
        />
      ) : null}
    </Section>
  );
}
