import { Copy, MoreHorizontal, Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useT } from '~/i18n';
import { Button, IconButton } from '~/ui/Button';
import { Confirm, Dialog } from '~/ui/Dialog';
import { Menu } from '~/ui/Menu';
import { Tabs } from '~/ui/Tabs';
import { toast, toastUndo } from '~/ui/Toast';
import styles from './Gallery.module.css';
import { Part } from './Part';
import { useWords } from './texts';

export function Floating() {
  const t = useT();
  const w = useWords();
  const [open, setOpen] = useState<'dialog' | 'sheet' | 'confirm'>();
  const [tab, setTab] = useState<keyof typeof w.tabNames>('base');
  const close = () => setOpen(undefined);
  return (
    <Part title={w.floating}>
      <div className={styles.row}>
        <Button onPress={() => setOpen('dialog')}>{w.dialog}</Button>
        <Button onPress={() => setOpen('sheet')}>{w.sheet}</Button>
        <Button kind="danger" onPress={() => setOpen('confirm')}>
          {w.confirm}
        </Button>
        <Menu
          label={w.menu}
          actions={[
            { id: 'edit', label: w.edit, icon: <Pencil aria-hidden />, run: () => toast(w.edit) },
            { id: 'copy', label: w.copy, icon: <Copy aria-hidden />, run: () => toast(w.copy) },
            {
              id: 'delete',
              label: w.danger,
              icon: <Trash2 aria-hidden />,
              danger: true,
              run: () => setOpen('confirm'),
            },
          ]}
        >
          <IconButton label={w.menu}>
            <MoreHorizontal aria-hidden />
          </IconButton>
        </Menu>
        <Button onPress={() => toast(w.said)}>{w.toast}</Button>
        <Button onPress={() => toastUndo(w.archived, () => toast(w.taken))}>{w.undo}</Button>
      </div>
      <Tabs
        label={w.tabs}
        value={tab}
        onChange={setTab}
        tabs={[
          { id: 'base', label: w.tabNames.base, panel: <p>{w.body}</p> },
          { id: 'deals', label: w.tabNames.deals, panel: <p>{w.noRows}</p> },
          { id: 'log', label: w.tabNames.log, panel: null, isDisabled: true },
        ]}
      />
      <Dialog
        title={open === 'sheet' ? w.sheet : w.dialog}
        open={open === 'dialog' || open === 'sheet'}
        sheet={open === 'sheet'}
        onClose={close}
        actions={
          <>
            <Button onPress={close}>{t('common:cancel')}</Button>
            <Button kind="primary" onPress={close}>
              {t('common:save')}
            </Button>
          </>
        }
      >
        <p>{w.body}</p>
      </Dialog>
      <Confirm
        title={w.confirm}
        open={open === 'confirm'}
        onClose={close}
        onConfirm={() => toast(w.said)}
        confirm={w.danger}
      >
        {w.confirmText}
      </Confirm>
    </Part>
  );
}
