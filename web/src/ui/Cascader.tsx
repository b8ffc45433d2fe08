import { ChevronDown, ChevronLeft, ChevronRight } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { Button } from 'react-aria-components/Button';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { useT } from '~/i18n';
import styles from './Cascader.module.css';
import { cx } from './cx';
import field from './Field.module.css';
import type { FieldText } from './fieldParts';
import { isComposing } from './isComposing';
import menu from './Menu.module.css';
import { useLayout } from './useLayout';

export interface Branch {
  id: string;
  label: string;
  children?: readonly Branch[];
}

/** The branches along a path of ids, as far as they exist. */
export function along(options: readonly Branch[], path: readonly string[]): Branch[] {
  const found: Branch[] = [];
  let here: readonly Branch[] | undefined = options;
  for (const id of path) {
    const next: Branch | undefined = here?.find((b) => b.id === id);
    if (!next) break;
    found.push(next);
    here = next.children;
  }
  return found;
}

/**
 * One leaf of a tree, such as a district of a city of a province: a column for each level, → and ← go between them; on a
 * phone one level at a time.
 */
export function Cascader({
  label,
  hint,
  error,
  value,
  options,
  onChange,
  isDisabled,
}: FieldText & {
  /** The ids from the root to the leaf. */
  value: readonly string[];
  options: readonly Branch[];
  onChange: (path: string[]) => void;
  isDisabled?: boolean;
}) {
  const t = useT();
  const ids = { label: useId(), value: useId(), foot: useId() };
  const [open, setOpen] = useState(false);
  const chosen = along(options, value)
    .map((b) => b.label)
    .join(' / ');
  const foot = error ?? hint;
  return (
    <div className={field.field}>
      <span className={field.label} id={ids.label}>
        {label}
      </span>
      <DialogTrigger isOpen={open} onOpenChange={setOpen}>
        <Button
          className={cx(styles.button, error && styles.wrong)}
          aria-labelledby={`${ids.label} ${ids.value}`}
          {...(foot ? { 'aria-describedby': ids.foot } : {})}
          isDisabled={isDisabled ?? false}
        >
          <span id={ids.value} className={chosen ? undefined : styles.none}>
            {chosen || t('ui:choose')}
          </span>
          <ChevronDown aria-hidden size={16} />
        </Button>
        <Popover className={menu.popover ?? ''} placement="bottom start">
          <Dialog aria-labelledby={ids.label} className={styles.dialog ?? ''}>
            <Columns
              options={options}
              value={value}
              onChoose={(path) => {
                onChange(path);
                setOpen(false);
              }}
            />
          </Dialog>
        </Popover>
      </DialogTrigger>
      {foot ? (
        <span id={ids.foot} className={error ? field.error : field.hint}>
          {foot}
        </span>
      ) : null}
    </div>
  );
}

function Columns({
  options,
  value,
  onChoose,
}: {
  options: readonly Branch[];
  value: readonly string[];
  onChoose: (path: string[]) => void;
}) {
  const t = useT();
  const phone = useLayout() === 'phone';
  const box = useRef<HTMLDivElement>(null);
  const [path, setPath] = useState<readonly string[]>(() => value.slice(0, -1));
  const [level, setLevel] = useState(() => along(options, value.slice(0, -1)).length);
  const opened = along(options, path);
  const columns = [options, ...opened.map((b) => b.children ?? [])];
  // The keyboard follows into the column that was opened, and back out of it.
  useEffect(() => {
    const column = box.current?.querySelector(`[data-level="${level}"]`);
    const at = column?.querySelector<HTMLElement>('[aria-selected="true"]');
    (at ?? column?.querySelector<HTMLElement>('[role="option"]'))?.focus();
  }, [level]);
  const step = (depth: number, branch: Branch) => {
    const next = [...path.slice(0, depth), branch.id];
    if (!branch.children?.length) return onChoose(next);
    setPath(next);
    setLevel(depth + 1);
  };
  const back = (depth: number) => {
    setLevel(depth - 1);
    if (phone) setPath(path.slice(0, depth - 1));
  };
  const keys = (event: KeyboardEvent, depth: number, column: readonly Branch[]) => {
    if (isComposing(event)) return;
    const id = (event.target as HTMLElement).dataset.key;
    const branch = column.find((b) => b.id === id);
    if (event.key === 'ArrowRight' && branch?.children?.length) step(depth, branch);
    else if (event.key === 'ArrowLeft' && depth > 0) back(depth);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = columns
    .map((column, depth) => ({ column, depth }))
    .filter(({ depth }) => !phone || depth === opened.length);
  return (
    <div ref={box} className={styles.columns}>
      {phone && opened.length > 0 ? (
        <Button className={styles.back ?? ''} onPress={() => back(opened.length)}>
          <ChevronLeft aria-hidden size={16} />
          {opened.map((b) => b.label).join(' / ')}
        </Button>
      ) : null}
      {shown.map(({ column, depth }) => (
        <div
          key={`${depth}/${path.slice(0, depth).join('/')}`}
          data-level={depth}
          className={styles.column}
          onKeyDownCapture={(e) => keys(e, depth, column)}
        >
          <ListBox
            aria-label={opened[depth - 1]?.label ?? t('ui:cascader.column', { level: depth + 1 })}
            autoFocus={depth === level ? 'first' : false}
            selectionMode="single"
            selectedKeys={[path[depth] ?? value[depth]].filter((k) => k !== undefined)}
            onSelectionChange={(keys) => {
              // Pressing what is chosen takes it away from the list, and means it all the same.
              const id = keys === 'all' ? undefined : ([...keys][0] ?? path[depth] ?? value[depth]);
              const branch = column.find((b) => b.id === id);
              if (branch) step(depth, branch);
            }}
            className={styles.list ?? ''}
          >
            {column.map((b) => (
              <ListBoxItem key={b.id} id={b.id} textValue={b.label} className={cx(menu.item, styles.item)}>
                <span className={styles.words}>{b.label}</span>
                {b.children?.length ? <ChevronRight aria-hidden size={14} /> : null}
              </ListBoxItem>
            ))}
          </ListBox>
        </div>
      ))}
    </div>
  );
}
