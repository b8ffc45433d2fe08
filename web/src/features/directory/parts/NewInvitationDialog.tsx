import { type FormEvent, useState } from 'react';
import type { Invitation, Org } from '~/api/types';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Select } from '~/ui/Select';
import { Toggle } from '~/ui/Toggle';
import { useSubmit } from '~/ui/useSubmit';
import { invite } from '../manage';

const DAY_S = 24 * 3_600;
const LIVES = { day: DAY_S, week: 7 * DAY_S, month: 30 * DAY_S, year: 365 * DAY_S } as const;
type Life = keyof typeof LIVES;

/** Nothing has to be chosen: a week, any number of people, at once. */
export function NewInvitationDialog({
  org,
  onClose,
  onMade,
}: {
  org: Org;
  onClose: () => void;
  onMade: (invitation: Invitation) => void;
}) {
  const t = useT();
  const [label, setLabel] = useState('');
  const [life, setLife] = useState<Life>('week');
  const [most, setMost] = useState('');
  const [approval, setApproval] = useState(false);
  const { submit, pending, at, general } = useSubmit(async () => {
    const body = {
      expires_in_s: LIVES[life],
      approval,
      ...(label.trim() ? { label: label.trim() } : {}),
      ...(most.trim() ? { max_uses: Number(most) } : {}),
    };
    onMade(await invite(org.id, body));
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const lives = [
    { id: 'day', label: t('directory:invitations.lives.day') },
    { id: 'week', label: t('directory:invitations.lives.week') },
    { id: 'month', label: t('directory:invitations.lives.month') },
    { id: 'year', label: t('directory:invitations.lives.year') },
  ] as const;
  return (
    <Dialog title={t('directory:invitations.new')} open onClose={onClose} sheet>
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={t('directory:invitations.label')}
          hint={t('directory:invitations.label_hint')}
          value={label}
          onChange={setLabel}
          error={at('label')}
          maxLength={50}
        />
        <Select asField label={t('directory:invitations.life')} value={life} options={lives} onChange={setLife} />
        <Field
          label={t('directory:invitations.most')}
          hint={t('directory:invitations.most_hint')}
          value={most}
          onChange={(text) => setMost(text.replace(/\D/g, ''))}
          inputMode="numeric"
          error={at('max_uses')}
          maxLength={6}
        />
        <Toggle on={approval} onChange={setApproval}>
          {t('directory:invitations.approval')}
        </Toggle>
        <FormError>{general('label', 'max_uses')}</FormError>
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('directory:invitations.make')}
        </Button>
      </form>
    </Dialog>
  );
}
