import { X } from 'lucide-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import type { Member } from '~/api/types';
import { sharedNames } from '~/core/names';
import { myId } from '~/core/store/session';
import { useT } from '~/i18n';
import { EmptyState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { PagedList } from '~/ui/PagedList';
import { useMembers } from '../members';
import { directory } from '../store';
import styles from './MemberPicker.module.css';
import { MemberRow } from './MemberRow';

export interface Picked {
  id: string;
  name: string;
}

/** Chooses people of an organisation, by search and ticks; those chosen stand above as chips. */
export function MemberPicker({
  org,
  picked,
  onChange,
  without,
}: {
  org: string | undefined;
  picked: Picked[];
  onChange: (picked: Picked[]) => void;
  /** People who cannot be chosen, such as those already in. */
  without?: ReadonlySet<string>;
}) {
  const t = useT();
  const [q, setQ] = useState('');
  const query = useMembers(org, useDeferredValue(q.trim()));
  const members = query.items;
  const shown = members.filter((m) => m.state === 'active' && m.user !== myId() && !without?.has(m.user));
  const twins = useMemo(() => sharedNames(members), [members]);
  const chosen = new Set(picked.map((p) => p.id));
  const flip = (m: Member) =>
    onChange(chosen.has(m.user) ? picked.filter((p) => p.id !== m.user) : [...picked, { id: m.user, name: m.name }]);
  return (
    <div className={styles.picker}>
      {picked.length > 0 ? (
        <ul className={styles.chips}>
          {picked.map((p) => (
            <li key={p.id}>
              <button
                type="button"
                className={styles.chip}
                onClick={() => onChange(picked.filter((o) => o.id !== p.id))}
              >
                {p.name}
                <X aria-hidden size={12} />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      <Field label={t('directory:search')} type="search" value={q} onChange={setQ} autoComplete="off" />
      {shown.length === 0 && members.length > 0 && !query.hasMore ? (
        <EmptyState title={t('directory:none')} />
      ) : (
        <PagedList list={query} rows={4} empty={t('directory:none')}>
          {() => (
            <ul className={styles.list} aria-label={t('directory:members')}>
              {shown.map((m) => (
                <li key={m.user}>
                  <label className={styles.option}>
                    <input type="checkbox" checked={chosen.has(m.user)} onChange={() => flip(m)} />
                    <MemberRow member={m} twin={twins.has(m.name)} me={false} />
                  </label>
                </li>
              ))}
            </ul>
          )}
        </PagedList>
      )}
    </div>
  );
}

/** The organisation to pick from when there are several. */
export function useDefaultOrg(): string | undefined {
  return useStore(directory, (s) => Object.keys(s.orgs)[0]);
}
