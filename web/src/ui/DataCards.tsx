import { GridList, GridListItem } from 'react-aria-components/GridList';
import { ListLayout, Virtualizer } from 'react-aria-components/Virtualizer';
import { useT } from '~/i18n';
import { Checkbox } from './Checkbox';
import { cx } from './cx';
import { act, asSelection, type DataTableProps, VIRTUAL_FROM } from './DataTable';
import styles from './DataTable.module.css';
import { Select } from './Select';

/** The same rows on a phone: the first column is the title of a card, the others stand below it with their names. */
export function DataCards<T>({
  label,
  columns,
  rows,
  idOf,
  selected,
  onSelect,
  onOpen,
  sort,
  onSort,
}: DataTableProps<T>) {
  const t = useT();
  const [first, ...others] = columns;
  const selects = selected !== undefined;
  const virtual = rows.length > VIRTUAL_FROM;
  const orders = columns
    .filter((c) => c.by)
    .flatMap((c) => [
      { id: `ascending/${c.id}`, label: t('ui:table.sort_up', { column: c.label }) },
      { id: `descending/${c.id}`, label: t('ui:table.sort_down', { column: c.label }) },
    ]);
  const list = (
    <GridList
      aria-label={label}
      items={rows.map((row) => ({ id: idOf(row), row }))}
      dependencies={[columns, selects]}
      selectionMode={selects ? 'multiple' : 'none'}
      {...(selects ? { selectedKeys: selected } : {})}
      onSelectionChange={(keys) => onSelect?.(asSelection(keys, rows, idOf))}
      {...(onOpen ? { onAction: (key) => act(rows, idOf, String(key), onOpen) } : {})}
      className={cx(styles.cards, virtual && styles.virtual)}
    >
      {({ id, row }) => (
        <GridListItem id={id} textValue={id} className={styles.card ?? ''}>
          <div className={styles.cardHead}>
            {selects ? <Checkbox slot="selection" /> : null}
            <strong>{first?.cell(row)}</strong>
          </div>
          <dl className={styles.facts}>
            {others.map((c) => (
              <div key={c.id} className={styles.fact}>
                <dt>{c.label}</dt>
                <dd>{c.cell(row)}</dd>
              </div>
            ))}
          </dl>
        </GridListItem>
      )}
    </GridList>
  );
  return (
    <>
      {orders.length > 0 ? (
        <div className={styles.order}>
          <Select
            label={t('ui:table.sort')}
            value={sort ? `${sort.direction}/${sort.column}` : undefined}
            options={orders}
            onChange={(to) => {
              const [direction, column] = to.split('/');
              onSort?.({ column: column ?? '', direction: direction === 'descending' ? 'descending' : 'ascending' });
            }}
          />
        </div>
      ) : null}
      {virtual ? (
        <Virtualizer layout={ListLayout} layoutOptions={{ estimatedRowHeight: 120, gap: 8 }}>
          {list}
        </Virtualizer>
      ) : (
        list
      )}
    </>
  );
}
