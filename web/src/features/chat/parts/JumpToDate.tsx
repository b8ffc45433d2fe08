import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { FormError } from '~/ui/FormError';
import { useSubmit } from '~/ui/useSubmit';
import { findDate } from '../history';
import styles from './JumpToDate.module.css';

const today = () => {
  const d = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
};

/** To the first message of a day, with the browser's own date field. */
export function JumpToDate({
  conversation,
  open,
  onClose,
  onFound,
}: {
  conversation: string;
  open: boolean;
  onClose: () => void;
  onFound: (seq: number) => void;
}) {
  const t = useT();
  const [day, setDay] = useState(today);
  const { submit, pending, general } = useSubmit(async () => {
    const seq = await findDate(conversation, new Date(`${day}T00:00:00`).getTime());
    onClose();
    onFound(seq);
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Dialog open={open} sheet title={t('chat:header.date')} onClose={onClose}>
      <form className={styles.form} onSubmit={onSubmit}>
        <label className={styles.label}>
          {t('chat:date.day')}
          <input
            type="date"
            className={styles.input}
            value={day}
            max={today()}
            required
            onChange={(e) => setDay(e.target.value)}
          />
        </label>
        <FormError>{general()}</FormError>
        <Button kind="primary" type="submit" isPending={pending}>
          {t('chat:date.go')}
        </Button>
      </form>
    </Dialog>
  );
}
