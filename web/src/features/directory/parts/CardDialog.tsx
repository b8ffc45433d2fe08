import { Printer } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { AppError } from '~/api/client';
import type { Card, Member, Org } from '~/api/types';
import { useProof } from '~/features/identity';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { askRecovery, renewCard } from '../manage';
import { CardSheet, Cards } from './CardSheet';

/**
 * Somebody cannot get in. An account that never signed in just gets another card; any other takes a second
 * administrator, and its devices are told.
 */
export function CardDialog({
  org,
  member,
  onClose,
  onDone,
}: {
  org: Org;
  member: Member;
  onClose: () => void;
  onDone: () => void;
}) {
  const t = useT();
  const { prove, dialog } = useProof();
  const [card, setCard] = useState<Card>();
  const [used, setUsed] = useState(false);
  const [reason, setReason] = useState('');
  const renew = useSubmit(async () => {
    try {
      setCard(await prove(() => renewCard(org.id, member.user)));
    } catch (error) {
      if (error instanceof AppError && error.code === 'card_used') return setUsed(true);
      throw error;
    }
  });
  const recover = useSubmit(async () => {
    await prove(() => askRecovery(org.id, member.user, reason.trim()));
    toast(t('directory:recovery.asked_done'));
    onDone();
  });
  if (card) return <NewCard org={org} card={card} onClose={onDone} />;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void (used ? recover : renew).submit();
  };
  return (
    <>
      <Dialog title={t('directory:card.title_of', { name: member.name })} open onClose={onClose} sheet>
        <form className={form.form} onSubmit={onSubmit}>
          <p>{used ? t('directory:recovery.text') : t('directory:card.text')}</p>
          {used ? (
            <Field
              label={t('directory:recovery.reason')}
              hint={t('directory:recovery.reason_hint')}
              value={reason}
              onChange={setReason}
              error={recover.at('reason')}
              maxLength={200}
              autoFocus
              isRequired
            />
          ) : null}
          <FormError>{renew.general() ?? recover.general('reason')}</FormError>
          <Button kind="primary" wide type="submit" isPending={renew.pending || recover.pending}>
            {used ? t('directory:recovery.ask') : t('directory:card.make')}
          </Button>
        </form>
      </Dialog>
      {dialog}
    </>
  );
}

/** A card is shown this once: the PIN is kept nowhere. */
export function NewCard({ org, card, onClose }: { org: Org; card: Card; onClose: () => void }) {
  const t = useT();
  return (
    <Dialog
      title={t('directory:card.one')}
      open
      onClose={onClose}
      actions={
        <>
          <Button onPress={() => window.print()}>
            <Printer aria-hidden size={16} />
            {t('directory:card.print')}
          </Button>
          <Button kind="primary" onPress={onClose}>
            {t('directory:card.given')}
          </Button>
        </>
      }
    >
      <p>{t('directory:card.once')}</p>
      <Cards org={org} cards={[card]} />
      <CardSheet org={org} cards={[card]} />
    </Dialog>
  );
}
