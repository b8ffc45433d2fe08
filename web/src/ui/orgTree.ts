/** What `OrgPicker` walks through: a tree of departments and people that comes level by level. Knows no screen. */
import { useCallback, useEffect, useMemo, useReducer, useRef } from 'react';
import type { Page } from '~/api/types';

export type OrgNode =
  | { kind: 'unit'; id: string; name: string /** Its place, such as 总部 / 市场部. */; path?: string; count?: number }
  | {
      kind: 'person';
      id: string;
      name: string /** Department and post, which tell equal names apart. */;
      detail?: string;
    };

/** Where the tree comes from: today the members of an organisation, tomorrow its departments too. */
export interface OrgSource {
  /** Another source when this changes; what was loaded is forgotten. */
  key: string;
  /** What stands directly in a department, or at the top. */
  below: (unit: string | undefined, cursor: string | undefined) => Promise<Page<OrgNode>>;
  find: (q: string, cursor: string | undefined) => Promise<Page<OrgNode>>;
}

export interface Level {
  items: OrgNode[];
  next?: string | undefined;
  state: 'loading' | 'ready' | 'failed';
  error?: unknown;
}

type Levels = Record<string, Level>;
type Event =
  | { do: 'clear' }
  | { do: 'load'; at: string }
  | { do: 'came'; at: string; page: Page<OrgNode>; first: boolean }
  | { do: 'failed'; at: string; error: unknown };

/** Pure; a node that comes twice, because somebody joined between two pages, stands once. */
export function levels(state: Levels, event: Event): Levels {
  if (event.do === 'clear') return {};
  const before = state[event.at] ?? { items: [], state: 'loading' };
  if (event.do === 'load') return { ...state, [event.at]: { ...before, state: 'loading', error: undefined } };
  if (event.do === 'failed') return { ...state, [event.at]: { ...before, state: 'failed', error: event.error } };
  const held = event.first ? [] : before.items;
  const known = new Set(held.map((n) => n.id));
  const items = [...held, ...event.page.items.filter((n) => !known.has(n.id))];
  return { ...state, [event.at]: { items, next: event.page.next ?? undefined, state: 'ready' } };
}

export const ROOT = '/';
const found = (q: string) => `?${q}`;

/** The levels as they come; asking for one that is there costs nothing. */
export function useOrgTree(source: OrgSource, q: string) {
  const [state, dispatch] = useReducer(levels, {});
  const now = useRef(source);
  const asked = useRef(new Set<string>());
  if (now.current.key !== source.key) asked.current = new Set();
  now.current = source;
  const load = useCallback(async (at: string, cursor?: string) => {
    const { current: from } = now;
    dispatch({ do: 'load', at });
    try {
      const page = await (at.startsWith('?')
        ? from.find(at.slice(1), cursor)
        : from.below(at === ROOT ? undefined : at, cursor));
      if (now.current.key === from.key) dispatch({ do: 'came', at, page, first: cursor === undefined });
    } catch (error) {
      if (now.current.key === from.key) dispatch({ do: 'failed', at, error });
    }
  }, []);
  const want = useCallback(
    (at: string) => {
      if (asked.current.has(at)) return;
      asked.current.add(at);
      void load(at);
    },
    [load],
  );
  const top = q ? found(q) : ROOT;
  const { key } = source;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another source begins anew
  useEffect(() => dispatch({ do: 'clear' }), [key]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => want(top), [want, top, key]);
  return useMemo(
    () => ({
      levels: state,
      top,
      want,
      /** The next page of a level, or the one that did not come. */
      goOn: (at: string) => (state[at]?.state === 'loading' ? undefined : void load(at, state[at]?.next)),
    }),
    [state, top, want, load],
  );
}
