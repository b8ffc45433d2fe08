import { useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { LADDER as LADDER_KEY } from '~/api/query';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import { useSubmit } from '~/ui/useSubmit';
import { changeRung, type Rung } from '../api';
import styles from './parts.module.css';
import { ShowsField } from './ShowsField';

/** A rung's name, and how much it shows. */
export function Edit({ rung, onClose }: { rung: Rung; onClose: () => void }) {
  const t = useT();
  const form = useId();
  const queries = useQueryClient();
  const [label, setLabel] = useState(rung.label);
  const [shows, setShows] = useState(rung.shows);
  const { submit, pending, at, general } = useSubmit(async () => {
    const named = label.trim();
    await changeRung(rung.id, { shows, ...(named && named !== rung.label ? { label: named } : {}) });
    await queries.invalidateQueries({ queryKey: LADDER_KEY });
    onClose();
  });
  return (
    <Dialog
      open
      title={t('notify:edit')}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" type="submit" form={form} isPending={pending}>
            {t('notify:save')}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field label={t('notify:label')} value={label} onChange={setLabel} maxLength={50} error={at('label')} />
        <ShowsField value={shows} onChange={setShows} />
        <FormError>{general('label')}</FormError>
      </form>
    </Dialog>
  );
}
