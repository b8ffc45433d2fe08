import { type FormEvent, useState } from 'react';
import type { Org } from '~/api/types';
import { useProof } from '~/features/identity';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Select } from '~/ui/Select';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { closeOrg } from '../manage';

const DAYS = ['7', '14', '30', '90'] as const;

/** The end of an organisation: its name typed out, and days in which any owner may take it back. */
export function CloseDialog({ org, onClose }: { org: Org; onClose: () => void }) {
  const t = useT();
  const { prove, dialog } = useProof();
  const [name, setName] = useState('');
  const [days, setDays] = useState<(typeof DAYS)[number]>('7');
  const { submit, pending, at, general } = useSubmit(async () => {
    await prove(() => closeOrg(org.id, name.trim(), Number(days)));
    toast(t('directory:closing.begun'));
    onClose();
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <>
      <Dialog title={t('directory:closing.title')} open onClose={onClose}>
        <form className={form.form} onSubmit={onSubmit}>
          <p>{t('directory:closing.warning')}</p>
          <Select
            label={t('directory:closing.days')}
            value={days}
            options={DAYS.map((id) => ({ id, label: t('directory:closing.in_days', { count: Number(id) }) }))}
            onChange={setDays}
          />
          <Field
            label={t('directory:closing.type_name', { org: org.name })}
            value={name}
            onChange={setName}
            error={at('name')}
            autoComplete="off"
            isRequired
          />
          <FormError>{general('name')}</FormError>
          <Button kind="danger" wide type="submit" isPending={pending} isDisabled={name.trim() !== org.name}>
            {t('directory:closing.confirm')}
          </Button>
        </form>
      </Dialog>
      {dialog}
    </>
  );
}
