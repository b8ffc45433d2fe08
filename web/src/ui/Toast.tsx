import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { i18next, useT } from '~/i18n';
import { Button, IconButton } from './Button';
import styles from './Toast.module.css';

interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

const toasts = createStore<{ list: Toast[] }>(() => ({ list: [] }));
let next = 1;
const SHOWN_MS = 5_000;
/** As many at once; the others wait for their turn. */
const AT_ONCE = 3;

const remove = (id: number) => toasts.setState({ list: toasts.getState().list.filter((t) => t.id !== id) });

/** Says something briefly, at the foot of the page. */
export function toast(text: string, action?: Toast['action']): void {
  const id = next++;
  const { list } = toasts.getState();
  // The same words twice in a row are one thing said.
  const before = action ? list : list.filter((t) => t.action || t.text !== text);
  toasts.setState({ list: [...before, { id, text, ...(action ? { action } : {}) }] });
}

/** Says what was done, and takes it back for as long as it is said. */
export function toastUndo(text: string, undo: () => void): void {
  toast(text, { label: i18next.t('common:undo'), run: undo });
}

/** Nobody loses what they are about to press: while one is pointed at or in it, all of them stay. */
export function Toasts() {
  const list = useStore(toasts, (s) => s.list);
  const [held, setHeld] = useState(0);
  const t = useT();
  const hold = () => setHeld((n) => n | 1);
  const release = () => setHeld((n) => n & ~1);
  return (
    <section
      className={styles.region}
      aria-label={t('common:notes')}
      onPointerEnter={hold}
      onPointerLeave={release}
      onFocus={() => setHeld((n) => n | 2)}
      onBlur={() => setHeld((n) => n & ~2)}
    >
      {/* Always there, so that what comes into it is read out. */}
      <div role="status" aria-live="polite" className={styles.list}>
        {list.slice(0, AT_ONCE).map((item) => (
          <Shown key={item.id} toast={item} held={held !== 0} onGone={release} />
        ))}
      </div>
    </section>
  );
}

function Shown({ toast: item, held, onGone }: { toast: Toast; held: boolean; onGone: () => void }) {
  const t = useT();
  const left = useRef(SHOWN_MS);
  useEffect(() => {
    if (held) return;
    const began = performance.now();
    const timer = setTimeout(() => remove(item.id), left.current);
    return () => {
      clearTimeout(timer);
      left.current = Math.max(1_000, left.current - (performance.now() - began));
    };
  }, [held, item.id]);
  // What is taken away under the pointer says no goodbye to it.
  const close = () => {
    remove(item.id);
    onGone();
  };
  return (
    <div className={styles.toast}>
      <span>{item.text}</span>
      {item.action ? (
        <Button
          kind="quiet"
          onPress={() => {
            close();
            item.action?.run();
          }}
        >
          {item.action.label}
        </Button>
      ) : null}
      <IconButton small label={t('common:close')} onPress={close}>
        <X aria-hidden />
      </IconButton>
    </div>
  );
}
