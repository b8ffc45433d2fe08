import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { cx } from '~/ui/cx';
import { isComposing } from '~/ui/isComposing';
import { useLayout } from '~/ui/useLayout';
import { closeSearch } from '../open';
import { type Group, type Result, useResults } from '../useResults';
import styles from './Palette.module.css';

/** People, conversations, places and what can be done, from one line. */
export function Palette() {
  const t = useT();
  const phone = useLayout() === 'phone';
  return (
    <ModalOverlay
      className={cx(styles.overlay, phone && styles.phone)}
      isOpen
      onOpenChange={(open) => (open ? undefined : closeSearch())}
      isDismissable
    >
      <Modal className={styles.modal ?? ''}>
        <Dialog className={styles.dialog ?? ''} aria-label={t('search:title')}>
          <Search phone={phone} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Search({ phone }: { phone: boolean }) {
  const t = useT();
  const id = useId();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const { groups, loading, failed, retry } = useResults(query);
  const flat = groups.flatMap((g) => g.results);
  const index = Math.min(at, Math.max(0, flat.length - 1));
  const current = flat[index];
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView?.({ block: 'nearest' });
  });
  const choose = (result: Result) => {
    closeSearch();
    result.run();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (isComposing(e)) return;
    const step = STEPS[e.key];
    if (step !== undefined && flat.length > 0) {
      e.preventDefault();
      setAt((index + step + flat.length) % flat.length);
    } else if (e.key === 'Enter' && current) {
      e.preventDefault();
      choose(current);
    }
  };
  return (
    <>
      <div className={styles.top}>
        <input
          className={styles.input}
          type="search"
          role="combobox"
          aria-expanded={flat.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={current ? `${id}-${index}` : undefined}
          aria-autocomplete="list"
          aria-label={t('search:title')}
          placeholder={t('search:placeholder')}
          // biome-ignore lint/a11y/noAutofocus: it was opened to write in it
          autoFocus
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={100}
          enterKeyHint="go"
          value={query}
          onChange={(e) => {
            setQuery(e.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        {phone ? (
          <Button kind="quiet" onPress={closeSearch}>
            {t('common:cancel')}
          </Button>
        ) : null}
      </div>
      <div ref={list} id={`${id}-list`} role="listbox" aria-label={t('search:results')} className={styles.list}>
        {groups.map((group) => (
          <Results
            key={group.id}
            group={group}
            id={id}
            from={flat.indexOf(group.results[0] as Result)}
            at={index}
            onChoose={choose}
          />
        ))}
      </div>
      <div role="status" className={styles.state}>
        {failed ? (
          <>
            {t('search:failed')}
            <Button kind="quiet" onPress={retry}>
              {t('common:retry')}
            </Button>
          </>
        ) : flat.length > 0 ? null : loading ? (
          t('common:loading')
        ) : (
          t('search:none', { query })
        )}
      </div>
    </>
  );
}

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

function Results({
  group,
  id,
  from,
  at,
  onChoose,
}: {
  group: Group;
  id: string;
  from: number;
  at: number;
  onChoose: (result: Result) => void;
}) {
  const heading = `${id}-${group.id}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of options, which is no fieldset
    <div role="group" aria-labelledby={heading}>
      <div id={heading} className={styles.heading}>
        {group.label}
      </div>
      {group.results.map((r, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's, which holds the focus
        // biome-ignore lint/a11y/useFocusableInteractive: chosen by aria-activedescendant
        <div
          key={r.id}
          id={`${id}-${from + i}`}
          role="option"
          aria-selected={from + i === at}
          className={styles.option}
          data-testid="result"
          onMouseDown={(e) => e.preventDefault()}
          onClick={() => onChoose(r)}
        >
          <span className={styles.picture}>{r.picture}</span>
          <span className={styles.words}>
            <span className={styles.name}>{r.name}</span>
            {r.below ? <span className={styles.below}>{r.below}</span> : null}
          </span>
          {r.keys ? <kbd className={styles.keys}>{r.keys}</kbd> : null}
        </div>
      ))}
    </div>
  );
}
