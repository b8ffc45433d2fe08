/** Names and presence of people seen so far, shared by every feature. Fills itself: asking for an unknown id fetches it. */
import { createStore } from 'zustand/vanilla';
import { ask, client } from '~/api/client';
import type { User } from '~/api/types';

export interface PeopleState {
  users: Record<string, User>;
  presence: Record<string, 'online' | 'offline'>;
}

export const people = createStore<PeopleState>(() => ({ users: {}, presence: {} }));

/** What of a person is drawn somewhere. */
const SHOWN = ['name', 'kind', 'deleted', 'photo', 'bio', 'merged_into', 'created_at'] as const;

const BATCH = 200;
const wanted = new Set<string>();
const failedAt = new Map<string, number>();
let timer: ReturnType<typeof setTimeout> | undefined;
let keep: (users: User[]) => void = () => {};

/** Where people are kept on the device. */
export function keepPeople(store: (users: User[]) => void): void {
  keep = store;
}

export function learnPeople(users: (Pick<User, 'id' | 'name'> & Partial<User>)[]): void {
  const known = people.getState().users;
  const news: Record<string, User> = {};
  for (const user of users) {
    const old = known[user.id];
    const next: User = { kind: 'person', created_at: 0, ...old, ...user };
    if (!old || SHOWN.some((key) => old[key] !== next[key])) news[user.id] = next;
  }
  const changed = Object.values(news);
  if (changed.length === 0) return;
  people.setState({ users: { ...known, ...news } });
  keep(changed);
}

/** Somebody of whom only the name came along with something else. */
const partly = (user: User) => user.created_at === 0;

/** Sees to it that these people are known soon, their photos too. */
export function wantPeople(ids: Iterable<string>): void {
  const { users } = people.getState();
  for (const id of ids) {
    const user = users[id];
    if ((!user || partly(user)) && Date.now() - (failedAt.get(id) ?? 0) > 30_000) wanted.add(id);
  }
  if (wanted.size > 0 && timer === undefined) timer = setTimeout(() => void fetchWanted(), 20);
}

async function fetchWanted(): Promise<void> {
  timer = undefined;
  const ids = [...wanted].slice(0, BATCH);
  for (const id of ids) wanted.delete(id);
  try {
    const { items } = await ask(client.GET('/users', { params: { query: { ids: ids.join(',') } } }));
    learnPeople(items);
    const found = new Set(items.map((u) => u.id));
    for (const id of ids) if (!found.has(id)) failedAt.set(id, Date.now());
  } catch {
    for (const id of ids) failedAt.set(id, Date.now());
  }
  if (wanted.size > 0) wantPeople([]);
}

export function forgetPeople(): void {
  people.setState({ users: {}, presence: {} });
  wanted.clear();
  failedAt.clear();
  clearTimeout(timer);
  timer = undefined;
}
