import { ArrowDown, ArrowUp } from 'lucide-react';
import { type ReactNode, useMemo, useState } from 'react';
import {
  Column as AriaColumn,
  Cell,
  ColumnResizer,
  ResizableTableContainer,
  Row,
  type Selection,
  type SortDescriptor,
  Table,
  TableBody,
  TableHeader,
} from 'react-aria-components/Table';
import { TableLayout, Virtualizer } from 'react-aria-components/Virtualizer';
import { useT } from '~/i18n';
import { Checkbox } from './Checkbox';
import { cx } from './cx';
import { DataCards } from './DataCards';
import styles from './DataTable.module.css';
import { EmptyState, FailedState } from './EmptyState';
import { SkeletonTable } from './Skeleton';
import { useLayout } from './useLayout';

export interface Column<T> {
  id: string;
  label: string;
  cell: (row: T) => ReactNode;
  /** What to order by; a column without it is not sorted. */
  by?: (row: T) => string | number;
  /** In pixels of the usual text size, or a share such as `2fr`. */
  width?: number | `${number}fr`;
  minWidth?: number;
  /** Figures stand below one another. */
  numeric?: boolean;
}

export type Sort = SortDescriptor;

export interface DataTableProps<T> {
  label: string;
  /** The first one names the row. */
  columns: readonly Column<T>[];
  rows: readonly T[];
  idOf: (row: T) => string;
  /** Rows in a state of the caller's: without it the table has none to select. */
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
  onOpen?: (row: T) => void;
  /** Sorted elsewhere, such as by the server; without it the table sorts what it holds. */
  sort?: Sort | undefined;
  onSort?: (sort: Sort) => void;
  loading?: boolean;
  error?: unknown;
  retry?: () => void;
  empty: string | ReactNode;
}

/** From here on only the rows in sight are drawn. */
export const VIRTUAL_FROM = 200;
const ROW = 40;
const BASE = 16;

const collator = new Intl.Collator('zh-CN', { numeric: true, sensitivity: 'base' });

/** The rows in the order of a column; names as a Chinese directory has them, and those alike stay as they were. */
export function ordered<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort | undefined): readonly T[] {
  const by = columns.find((c) => c.id === sort?.column)?.by;
  if (!by || !sort) return rows;
  const sign = sort.direction === 'descending' ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : collator.compare(String(x), String(y)));
  });
}

/** Rows and columns; on a phone each row is a card. Arrows go from cell to cell, the header stays in sight. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { rows, columns, loading, error, retry, empty } = props;
  const phone = useLayout() === 'phone';
  const [own, setOwn] = useState<Sort>();
  const sort = props.onSort ? props.sort : own;
  const setSort = props.onSort ?? setOwn;
  const local = props.onSort === undefined;
  const shown = useMemo(() => (local ? ordered(rows, columns, sort) : rows), [rows, columns, sort, local]);
  if (rows.length === 0) {
    if (error) return <FailedState error={error} {...(retry ? { retry } : {})} />;
    if (loading) return <SkeletonTable columns={phone ? 2 : Math.min(columns.length, 6)} />;
    return typeof empty === 'string' ? <EmptyState title={empty} /> : empty;
  }
  const Shape = phone ? DataCards : Grid;
  return <Shape {...props} rows={shown} sort={sort} onSort={setSort} />;
}

export const asSelection = <T,>(keys: Selection, rows: readonly T[], idOf: (row: T) => string): ReadonlySet<string> =>
  new Set(keys === 'all' ? rows.map(idOf) : [...keys].map(String));

function Grid<T>({ label, columns, rows, idOf, selected, onSelect, onOpen, sort, onSort }: DataTableProps<T>) {
  const t = useT();
  const virtual = rows.length > VIRTUAL_FROM;
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / BASE || 1;
  const selects = selected !== undefined;
  const [first] = columns;
  const table = (
    <Table
      aria-label={label}
      className={styles.table ?? ''}
      {...(sort ? { sortDescriptor: sort } : {})}
      onSortChange={(next) => onSort?.(next)}
      selectionMode={selects ? 'multiple' : 'none'}
      {...(selects ? { selectedKeys: selected } : {})}
      onSelectionChange={(keys) => onSelect?.(asSelection(keys, rows, idOf))}
      {...(onOpen ? { onRowAction: (key) => act(rows, idOf, String(key), onOpen) } : {})}
    >
      <TableHeader className={styles.header ?? ''}>
        {selects ? (
          <AriaColumn width={44 * rem} minWidth={44} className={cx(styles.column, styles.tick)}>
            <Checkbox slot="selection" />
          </AriaColumn>
        ) : null}
        {columns.map((c) => (
          <AriaColumn
            key={c.id}
            id={c.id}
            textValue={c.label}
            isRowHeader={c === first}
            allowsSorting={c.by !== undefined}
            {...(c.width === undefined ? {} : { defaultWidth: typeof c.width === 'number' ? c.width * rem : c.width })}
            minWidth={(c.minWidth ?? 72) * rem}
            className={cx(styles.column, c.numeric && styles.numeric)}
          >
            {({ sortDirection }) => (
              <span className={styles.head}>
                {/* A stop of its own for the keyboard: without it only the resizer beside it would be one. */}
                <span tabIndex={-1} className={styles.name}>
                  {c.label}
                </span>
                {sortDirection === 'ascending' ? <ArrowUp aria-hidden size={14} /> : null}
                {sortDirection === 'descending' ? <ArrowDown aria-hidden size={14} /> : null}
                <ColumnResizer
                  className={styles.resizer ?? ''}
                  aria-label={t('ui:table.resize', { column: c.label })}
                />
              </span>
            )}
          </AriaColumn>
        ))}
      </TableHeader>
      <TableBody items={rows.map((row) => ({ id: idOf(row), row }))} dependencies={[columns, selects]}>
        {({ id, row }) => (
          <Row id={id} className={cx(styles.row, onOpen && styles.opens)}>
            {selects ? (
              <Cell className={cx(styles.cell, styles.tick)}>
                <Checkbox slot="selection" />
              </Cell>
            ) : null}
            {columns.map((c) => (
              <Cell key={c.id} className={cx(styles.cell, c.numeric && styles.numeric)}>
                {c.cell(row)}
              </Cell>
            ))}
          </Row>
        )}
      </TableBody>
    </Table>
  );
  return (
    <ResizableTableContainer className={cx(styles.box, virtual && styles.virtual)}>
      {virtual ? (
        <Virtualizer layout={TableLayout} layoutOptions={{ rowHeight: ROW * rem, headingHeight: ROW * rem }}>
          {table}
        </Virtualizer>
      ) : (
        table
      )}
    </ResizableTableContainer>
  );
}

export function act<T>(rows: readonly T[], idOf: (row: T) => string, id: string, run: (row: T) => void): void {
  const row = rows.find((r) => idOf(r) === id);
  if (row !== undefined) run(row);
}
