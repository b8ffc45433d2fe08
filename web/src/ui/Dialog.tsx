import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { useT } from '~/i18n';
import { Button, IconButton } from './Button';
import { cx } from './cx';
import styles from './Dialog.module.css';
import { useLayout } from './useLayout';

export interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at the foot. */
  actions?: ReactNode;
  /** A sheet from the bottom on a phone; without it the dialog fills the phone. */
  sheet?: boolean;
  /** Only what asks for attention stops the reader of the screen. */
  alert?: boolean;
  /** As tall from the start as it may get: for lists that load, so that nothing moves under a finger. */
  tall?: boolean;
}

export function Dialog({ title, open, onClose, children, actions, sheet, alert, tall }: DialogProps) {
  const t = useT();
  const phone = useLayout() === 'phone';
  const shape = phone ? (sheet || alert ? styles.sheet : styles.full) : styles.card;
  return (
    <ModalOverlay
      className={cx(styles.overlay, phone && (sheet || alert) && styles.atBottom)}
      isOpen={open}
      onOpenChange={(next) => (next ? undefined : onClose())}
      isDismissable={!alert}
    >
      <Modal className={cx(styles.modal, shape, tall && styles.tall)}>
        <AriaDialog role={alert ? 'alertdialog' : 'dialog'} className={styles.dialog ?? ''}>
          <header className={styles.head}>
            <Heading slot="title" className={styles.title ?? ''}>
              {title}
            </Heading>
            <IconButton label={t('common:close')} onPress={onClose}>
              <X aria-hidden />
            </IconButton>
          </header>
          <div className={styles.body}>{children}</div>
          {actions ? <footer className={styles.foot}>{actions}</footer> : null}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface ConfirmProps {
  title: string;
  /** What is lost. */
  children: ReactNode;
  confirm: string;
  open: boolean;
  onClose: () => void;
  onConfirm: () => void;
}

/** Only for what cannot be undone. */
export function Confirm({ title, children, confirm, open, onClose, onConfirm }: ConfirmProps) {
  const t = useT();
  return (
    <Dialog
      title={title}
      open={open}
      onClose={onClose}
      alert
      actions={
        <>
          <Button onPress={onClose}>{t('common:cancel')}</Button>
          <Button
            kind="danger"
            onPress={() => {
              onClose();
              onConfirm();
            }}
          >
            {confirm}
          </Button>
        </>
      }
    >
      <p>{children}</p>
    </Dialog>
  );
}
