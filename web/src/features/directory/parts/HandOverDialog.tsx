import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Org } from '~/api/types';
import { useProof } from '~/features/identity';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { Dialog } from '~/ui/Dialog';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { handOver } from '../manage';
import { readOrgs } from '../store';
import { MemberPicker, type Picked } from './MemberPicker';

type Then = 'admin' | 'member' | 'leave';

/** Somebody else becomes an owner, and what becomes of me is said in the same breath. */
export function HandOverDialog({ org, onClose }: { org: Org; onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const { prove, dialog } = useProof();
  const [picked, setPicked] = useState<Picked[]>([]);
  const [then, setThen] = useState<Then>('admin');
  const user = picked[0]?.id;
  const { submit, pending, general } = useSubmit(async () => {
    if (!user) return;
    await prove(() => handOver(org.id, user, then));
    await readOrgs().catch(() => undefined);
    toast(t('directory:handover.done'));
    onClose();
    if (then === 'leave') await navigate({ to: '/contacts', replace: true });
  });
  return (
    <>
      <Dialog
        title={t('directory:handover.title')}
        open
        tall
        onClose={onClose}
        actions={
          <>
            <Button onPress={onClose}>{t('common:cancel')}</Button>
            <Button kind="danger" isDisabled={!user} isPending={pending} onPress={() => void submit()}>
              {t('directory:handover.confirm')}
            </Button>
          </>
        }
      >
        <div className={form.form}>
          <MemberPicker org={org.id} picked={picked} onChange={setPicked} single />
          <Choice
            label={t('directory:handover.then')}
            value={then}
            options={[
              { id: 'admin', label: t('directory:handover.admin') },
              { id: 'member', label: t('directory:handover.member') },
              { id: 'leave', label: t('directory:handover.leave') },
            ]}
            onChange={setThen}
          />
          <FormError>{general()}</FormError>
        </div>
      </Dialog>
      {dialog}
    </>
  );
}
