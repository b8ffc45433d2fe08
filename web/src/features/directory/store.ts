/** The organisations of the person signed in, followed by their streams. */
import type { QueryClient } from '@tanstack/react-query';
import { createStore } from 'zustand/vanilla';
import { ask, client } from '~/api/client';
import type { Member, Org } from '~/api/types';
import type { StreamHandler } from '~/core/realtime';
import { learnPeople } from '~/core/store/people';
import { myId } from '~/core/store/session';

export interface DirectoryState {
  orgs: Record<string, Org>;
  loaded: boolean;
}

export const directory = createStore<DirectoryState>(() => ({ orgs: {}, loaded: false }));

export function forgetDirectory(): void {
  directory.setState({ orgs: {}, loaded: false });
}

export function putOrgs(orgs: readonly Org[], whole = false): void {
  const next = whole ? {} : { ...directory.getState().orgs };
  for (const org of orgs) next[org.id] = org;
  directory.setState({ orgs: next, loaded: true });
}

export async function readOrgs(): Promise<void> {
  const { items } = await ask(client.GET('/orgs'));
  putOrgs(items, true);
}

export const membersKey = (org: string) => ['org', org, 'members'] as const;

/** Whether anybody's name is checked there. */
export const verifiedKey = (org: string) => ['org', org, 'verified'] as const;

/** `membersChanged` hears of every organisation whose members moved. */
export function orgHandler(queries: QueryClient, membersChanged: (org: Org) => void): StreamHandler {
  const apply = (id: string, rev: number, events: unknown[]) => {
    const old = directory.getState().orgs[id];
    if (!old) return;
    let org = { ...old, rev: Math.max(old.rev, rev) };
    let members = false;
    for (const value of events) {
      const event = value as { kind?: string; org?: Partial<Org>; member?: Member } & Partial<Member>;
      if (event.kind === 'org' && event.org) org = { ...org, ...event.org, rev: org.rev, role: org.role };
      if (event.kind !== 'member') continue;
      members = true;
      const member = event.member ?? (event as Member);
      if (member.name) learnPeople([{ id: member.user, name: member.name }]);
      if (member.user === myId() && member.state === 'active') org = { ...org, role: member.role };
    }
    putOrgs([org]);
    if (!members) return;
    void queries.invalidateQueries({ queryKey: membersKey(id) });
    membersChanged(org);
  };
  return {
    known: (id) => directory.getState().orgs[id]?.rev,
    apply,
    catchUp: (id, _from, rev, events) => apply(id, rev, events),
    resync(id) {
      void readOrgs().catch(() => undefined);
      void queries.invalidateQueries({ queryKey: membersKey(id) });
    },
  };
}
