import { ChevronRight, Network, X } from 'lucide-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Collection } from 'react-aria-components/Collection';
import { Tree, TreeItem, TreeItemContent } from 'react-aria-components/Tree';
import { asAppError } from '~/api/client';
import { sharedNames, shortId } from '~/core/names';
import { useErrorText, useT } from '~/i18n';
import { Avatar } from './Avatar';
import { Checkbox } from './Checkbox';
import { EmptyState, FailedState } from './EmptyState';
import styles from './OrgPicker.module.css';
import { type Level, type OrgNode, type OrgSource, useOrgTree } from './orgTree';
import { SearchField } from './SearchField';
import { SkeletonRows } from './Skeleton';

export type { OrgNode, OrgSource } from './orgTree';

export interface Chosen {
  id: string;
  name: string;
  kind?: OrgNode['kind'];
}

/** A row of the tree: a node, or at the foot of a level the way to more of it. */
type TreeRow = { id: string; node: OrgNode; children: TreeRow[] } | { id: string; foot: string; level: Level };

/**
 * Chooses people, and departments where `units` are allowed, from a tree or by search. Whom one chose stands above as
 * chips and stays while the search changes.
 */
export function OrgPicker({
  source,
  picked,
  onChange,
  without,
  units,
  single,
}: {
  source: OrgSource;
  picked: readonly Chosen[];
  onChange: (picked: Chosen[]) => void;
  /** Nodes that are not offered, such as those already in. */
  without?: ReadonlySet<string>;
  units?: boolean;
  single?: boolean;
}) {
  const t = useT();
  const [q, setQ] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const tree = useOrgTree(source, useDeferredValue(q.trim()));
  const top = tree.levels[tree.top];
  const rows = useMemo(() => rowsOf(tree.levels, tree.top, open, without), [tree, open, without]);
  const twins = useMemo(() => sharedNames(rows.flatMap(nodesOf).map((n) => ({ name: lookOf(n) }))), [rows]);
  const chosen = new Set(picked.map((p) => p.id));
  const shown = rows.flatMap(nodesOf);
  const expand = (ids: Iterable<string>) => {
    const next = new Set(ids);
    for (const id of next) tree.want(id);
    setOpen(next);
  };
  const choose = (keys: 'all' | Set<unknown>) => {
    const now = keys === 'all' ? new Set<unknown>(shown.map((n) => n.id)) : keys;
    // A press on a row that nobody can be is a press on what it stands for.
    const foot = [...now].map(String).find((id) => id.startsWith(MORE));
    if (foot) return tree.goOn(foot.slice(MORE.length));
    const unit = units ? undefined : shown.find((n) => n.kind === 'unit' && now.has(n.id));
    if (unit && keys !== 'all')
      return expand(open.has(unit.id) ? [...open].filter((id) => id !== unit.id) : [...open, unit.id]);
    const kept = picked.filter((p) => now.has(p.id) || !shown.some((n) => n.id === p.id));
    const added = shown
      .filter((n) => now.has(n.id) && !chosen.has(n.id) && (units || n.kind === 'person'))
      .map(({ id, name, kind }) => ({ id, name, kind }));
    onChange(single ? (added.slice(-1).length > 0 ? added.slice(-1) : kept) : [...kept, ...added]);
  };
  const drop = (id: string) => onChange(picked.filter((p) => p.id !== id));
  return (
    <div className={styles.picker}>
      <Chips picked={picked} onDrop={drop} />
      <SearchField label={t('ui:picker.search')} value={q} onChange={setQ} />
      {!top || (top.state === 'loading' && top.items.length === 0) ? (
        <SkeletonRows rows={4} />
      ) : top.state === 'failed' && top.items.length === 0 ? (
        <FailedState error={top.error} retry={() => tree.goOn(tree.top)} />
      ) : rows.length === 0 ? (
        <EmptyState title={t(q.trim() ? 'ui:no_match' : 'ui:picker.empty')} />
      ) : (
        <Tree
          aria-label={t('ui:picker.tree')}
          items={rows}
          dependencies={[twins, units]}
          selectionMode={single ? 'single' : 'multiple'}
          selectedKeys={chosen}
          onSelectionChange={choose}
          expandedKeys={open}
          onExpandedChange={(keys) => expand([...keys].map(String))}
          className={styles.tree ?? ''}
        >
          {(row) => <Line row={row} twins={twins} units={units ?? false} />}
        </Tree>
      )}
    </div>
  );
}

const MORE = 'more:';

const indent = (level: number) => ({ paddingInlineStart: `${0.5 + (level - 1) * 1.25}rem` });

function Chips({ picked, onDrop }: { picked: readonly Chosen[]; onDrop: (id: string) => void }) {
  const t = useT();
  if (picked.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label={t('ui:picker.picked')}>
      {picked.map((p) => (
        <li key={p.id}>
          <button
            type="button"
            className={styles.chip}
            onClick={() => onDrop(p.id)}
            title={t('ui:remove', { name: p.name })}
          >
            {p.name}
            <X aria-hidden size={12} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Line({ row, twins, units }: { row: TreeRow; twins: ReadonlySet<string>; units: boolean }) {
  const t = useT();
  const text = useErrorText();
  if ('foot' in row) {
    const { state, error } = row.level;
    const words = state === 'failed' ? t('common:retry') : state === 'loading' ? t('common:loading') : t('ui:more');
    return (
      <TreeItem id={row.id} textValue={words} className={styles.item ?? ''}>
        <TreeItemContent>
          {({ level }) => (
            <span className={styles.row} style={indent(level)}>
              {state === 'failed' ? <span role="alert">{text(asAppError(error))}</span> : null}
              <span className={styles.more}>{words}</span>
            </span>
          )}
        </TreeItemContent>
      </TreeItem>
    );
  }
  const { node } = row;
  const unit = node.kind === 'unit';
  const said = unit ? node.path : node.detail;
  const below = twins.has(lookOf(node)) ? [said, `#${shortId(node.id)}`].filter(Boolean).join(' · ') : said;
  return (
    <TreeItem id={node.id} textValue={node.name} hasChildItems={unit} className={styles.item ?? ''}>
      <TreeItemContent>
        {({ hasChildItems, level }) => (
          <span className={styles.row} style={indent(level)}>
            {hasChildItems ? (
              <AriaButton slot="chevron" className={styles.chevron ?? ''}>
                <ChevronRight aria-hidden size={16} />
              </AriaButton>
            ) : null}
            {!unit || units ? <Checkbox slot="selection" /> : null}
            {unit ? (
              <span className={styles.unit} aria-hidden>
                <Network size={18} />
              </span>
            ) : (
              <Avatar id={node.id} name={node.name} size="small" />
            )}
            <span className={styles.words}>
              <span>{node.name}</span>
              {below ? <span className={styles.below}>{below}</span> : null}
            </span>
            {unit && node.count !== undefined ? <span className={styles.below}>{node.count}</span> : null}
          </span>
        )}
      </TreeItemContent>
      {unit ? (
        <Collection items={row.children}>
          {(child: TreeRow) => <Line row={child} twins={twins} units={units} />}
        </Collection>
      ) : null}
    </TreeItem>
  );
}

/** The tree as far as it is open. */
function rowsOf(
  all: Record<string, Level>,
  at: string,
  open: ReadonlySet<string>,
  without: ReadonlySet<string> | undefined,
): TreeRow[] {
  const level = all[at];
  if (!level) return [];
  const rows: TreeRow[] = level.items
    .filter((n) => !without?.has(n.id))
    .map((node) => ({
      id: node.id,
      node,
      children: node.kind === 'unit' ? below(all, node.id, open, without) : [],
    }));
  if (level.next || level.state !== 'ready') rows.push({ id: MORE + at, foot: at, level });
  return rows;
}

/** The tree opens a row by → only if something stands below it, so what has not come yet is a row that waits. */
function below(
  all: Record<string, Level>,
  unit: string,
  open: ReadonlySet<string>,
  without: ReadonlySet<string> | undefined,
): TreeRow[] {
  if (open.has(unit) && all[unit]) return rowsOf(all, unit, open, without);
  return [{ id: MORE + unit, foot: unit, level: { items: [], state: 'loading' } }];
}

/** What a row reads like. */
const lookOf = (n: OrgNode): string => `${n.name}\n${(n.kind === 'unit' ? n.path : n.detail) ?? ''}`;

const nodesOf = (row: TreeRow): OrgNode[] => ('foot' in row ? [] : [row.node, ...row.children.flatMap(nodesOf)]);
