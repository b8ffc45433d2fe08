import { useMemo } from 'react';
import type { Member } from '~/api/types';
import { now } from '~/core/clock';
import { sharedNames, shortId } from '~/core/names';
import { myId } from '~/core/store/session';
import { useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { EmptyState } from '~/ui/EmptyState';
import { type Chosen, type OrgNode, OrgPicker, type OrgSource } from '~/ui/OrgPicker';
import { readMembers } from '../members';

export type Picked = Chosen;

/** Chooses people of an organisation, by search and ticks; those chosen stand above as chips. */
export function MemberPicker({
  org,
  picked,
  onChange,
  without,
  single,
}: {
  org: string | undefined;
  picked: Picked[];
  onChange: (picked: Picked[]) => void;
  /** People who cannot be chosen, such as those already in. */
  without?: ReadonlySet<string>;
  single?: boolean;
}) {
  const source = useMembersAsTree(org);
  const hidden = useMemo(() => new Set([myId(), ...(without ?? [])]), [without]);
  const t = useT();
  if (!org) return <EmptyState title={t('directory:none')} />;
  return <OrgPicker source={source} picked={picked} onChange={onChange} without={hidden} single={single ?? false} />;
}

/** Members stand at the top of the tree until the server has departments for them. */
function useMembersAsTree(org: string | undefined): OrgSource {
  const t = useT();
  const locale = useLocale();
  return useMemo(() => {
    const detail = (m: Member, twin: boolean) => {
      const joined = t('directory:joined', { when: listTime(locale, m.joined_at, now()) });
      if (twin) return t('directory:same_name', { joined, id: shortId(m.user) });
      return m.role === 'member' ? undefined : t(`directory:role.${m.role}`);
    };
    const read = async (q: string, cursor: string | undefined) => {
      const page = await readMembers(org ?? '', q, 'active', cursor);
      const twins = sharedNames(page.items);
      const items = page.items.map((m): OrgNode => {
        const below = detail(m, twins.has(m.name));
        return { kind: 'person', id: m.user, name: m.name, ...(below ? { detail: below } : {}) };
      });
      return { items, ...(page.next ? { next: page.next } : {}) };
    };
    return { key: org ?? '', below: (_unit, cursor) => read('', cursor), find: read };
  }, [org, t, locale]);
}
