import type { ReactNode } from 'react';
import { Dialog } from '~/ui/Dialog';
import type { MenuAction } from '~/ui/Menu';
import styles from './ActionSheet.module.css';

/** Actions in a sheet, each large enough for a thumb. */
export function ActionSheet({
  title,
  actions,
  onClose,
  children,
}: {
  title: string;
  actions: MenuAction[];
  onClose: () => void;
  children?: ReactNode;
}) {
  return (
    <Dialog open sheet title={title} onClose={onClose}>
      {children}
      <ul>
        {actions.map((a) => (
          <li key={a.id}>
            <button
              type="button"
              className={styles.action}
              data-danger={a.danger || undefined}
              onClick={() => {
                onClose();
                a.run();
              }}
            >
              {a.icon}
              {a.label}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
