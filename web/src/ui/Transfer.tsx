import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { ListBox, ListBoxItem, type Selection } from 'react-aria-components/ListBox';
import { useT } from '~/i18n';
import { IconButton } from './Button';
import type { Option } from './ComboBox';
import { cx } from './cx';
import menu from './Menu.module.css';
import styles from './Transfer.module.css';

/** Some of many, kept in sight on both sides: what there is, and what was taken, in the order it was taken. */
export function Transfer({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: readonly Option[];
  value: readonly string[];
  onChange: (value: string[]) => void;
}) {
  const t = useT();
  const [left, setLeft] = useState<Selection>(new Set());
  const [right, setRight] = useState<Selection>(new Set());
  const rest = options.filter((o) => !value.includes(o.id));
  const taken = value.map((id) => options.find((o) => o.id === id)).filter((o) => o !== undefined);
  const of = (selection: Selection, list: readonly Option[]) =>
    list.filter((o) => selection === 'all' || selection.has(o.id)).map((o) => o.id);
  const add = () => {
    onChange([...value, ...of(left, rest)]);
    setLeft(new Set());
  };
  const remove = () => {
    const going = of(right, taken);
    onChange(value.filter((id) => !going.includes(id)));
    setRight(new Set());
  };
  return (
    <fieldset className={styles.transfer} aria-label={label}>
      <Side title={t('ui:transfer.from')} list={rest} selected={left} onSelect={setLeft} />
      <div className={styles.acts}>
        <IconButton label={t('ui:transfer.add')} onPress={add} isDisabled={of(left, rest).length === 0}>
          <ChevronRight aria-hidden />
        </IconButton>
        <IconButton label={t('ui:transfer.remove')} onPress={remove} isDisabled={of(right, taken).length === 0}>
          <ChevronLeft aria-hidden />
        </IconButton>
      </div>
      <Side title={t('ui:transfer.to')} list={taken} selected={right} onSelect={setRight} />
    </fieldset>
  );
}

function Side({
  title,
  list,
  selected,
  onSelect,
}: {
  title: string;
  list: readonly Option[];
  selected: Selection;
  onSelect: (selection: Selection) => void;
}) {
  const t = useT();
  return (
    <div className={styles.side}>
      <p className={styles.title}>
        {title} <span className={styles.count}>{list.length}</span>
      </p>
      <ListBox
        aria-label={title}
        items={list}
        selectionMode="multiple"
        selectedKeys={selected}
        onSelectionChange={onSelect}
        className={styles.list ?? ''}
        renderEmptyState={() => <p className={styles.none}>{t('ui:no_match')}</p>}
      >
        {(o) => (
          <ListBoxItem id={o.id} textValue={o.label} className={cx(menu.item, styles.item)}>
            {o.label}
          </ListBoxItem>
        )}
      </ListBox>
    </div>
  );
}
