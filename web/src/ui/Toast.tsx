import { X } from 'lucide-react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { useT } from '~/i18n';
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

const remove = (id: number) => toasts.setState({ list: toasts.getState().list.filter((t) => t.id !== id) });

/** Says something briefly, at the foot of the page. */
export function toast(text: string, action?: Toast['action']): void {
  const id = next++;
  toasts.setState({ list: [...toasts.getState().list.slice(-2), { id, text, ...(action ? { action } : {}) }] });
  setTimeout(() => remove(id), SHOWN_MS);
}

export function Toasts() {
  const list = useStore(toasts, (s) => s.list);
  const t = useT();
  return (
    <div className={styles.region} role="status" aria-live="polite">
      {list.map((item) => (
        <div key={item.id} className={styles.toast}>
          <span>{item.text}</span>
          {item.action ? (
            <Button
              kind="quiet"
              onPress={() => {
                remove(item.id);
                item.action?.run();
              }}
            >
              {item.action.label}
            </Button>
          ) : null}
          <IconButton small label={t('common:close')} onPress={() => remove(item.id)}>
            <X aria-hidden />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
