import { type FormEvent, useState } from 'react';
import type { Member, Org, OrgRole } from '~/api/types';
import { myId } from '~/core/store/session';
import { useProof } from '~/features/identity';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { toast } from '~/ui/Toast';
import { Toggle } from '~/ui/Toggle';
import { useSubmit } from '~/ui/useSubmit';
import { changeMember, removeMember } from '../manage';
import { CardDialog } from './CardDialog';

export type MemberTask = 'details' | 'role' | 'card' | 'suspend' | 'restore' | 'remove';

interface TaskProps {
  org: Org;
  member: Member;
  onClose: () => void;
  onDone: () => void;
}

/** The one thing an administrator is doing about a member. */
export function MemberDialogs({ task, ...props }: TaskProps & { task: MemberTask }) {
  const t = useT();
  const { name } = props.member;
  if (task === 'details') return <Details {...props} />;
  if (task === 'role') return <RoleDialog {...props} />;
  if (task === 'card') return <CardDialog {...props} />;
  const { org, member } = props;
  if (task === 'suspend') {
    return (
      <Sure
        {...props}
        title={t('directory:member.suspend_title', { name })}
        text={t('directory:member.suspend_text')}
        confirm={t('directory:member.suspend')}
        done={t('directory:member.suspend_done', { name })}
        run={() => changeMember(org.id, member.user, { state: 'suspended' })}
      />
    );
  }
  if (task === 'restore') {
    return (
      <Sure
        {...props}
        title={t('directory:member.restore_title', { name })}
        text={t('directory:member.restore_text')}
        confirm={t('directory:member.restore')}
        done={t('directory:member.restore_done', { name })}
        run={() => changeMember(org.id, member.user, { state: 'active' })}
      />
    );
  }
  return (
    <Sure
      {...props}
      title={t('directory:member.remove_title', { name })}
      text={t('directory:member.remove_text')}
      confirm={t('directory:member.remove')}
      done={t('directory:member.remove_done', { name })}
      run={() => removeMember(org.id, member.user)}
    />
  );
}

/** A question before what the person will notice at once. */
function Sure({
  title,
  text,
  confirm,
  done,
  run,
  onClose,
  onDone,
}: TaskProps & { title: string; text: string; confirm: string; done: string; run: () => Promise<unknown> }) {
  const t = useT();
  const { prove, dialog } = useProof();
  const { submit, pending, general } = useSubmit(async () => {
    await prove(run);
    toast(done);
    onDone();
  });
  return (
    <>
      <Dialog
        title={title}
        open
        onClose={onClose}
        alert
        actions={
          <>
            <Button onPress={onClose}>{t('common:cancel')}</Button>
            <Button kind="danger" isPending={pending} onPress={() => void submit()}>
              {confirm}
            </Button>
          </>
        }
      >
        <p>{text}</p>
        <FormError>{general()}</FormError>
      </Dialog>
      {dialog}
    </>
  );
}

function Details({ org, member, onClose, onDone }: TaskProps) {
  const t = useT();
  const { prove, dialog } = useProof();
  // Somebody else vouches for a name.
  const own = member.user === myId();
  const [name, setName] = useState(member.name);
  const [number, setNumber] = useState(member.number ?? '');
  const [verified, setVerified] = useState(member.verified);
  const { submit, pending, at, general } = useSubmit(async () => {
    const change = {
      ...(name.trim() === member.name ? {} : { name: name.trim() }),
      ...(number.trim() === (member.number ?? '') ? {} : { number: number.trim() }),
      ...(verified === member.verified ? {} : { verified }),
    };
    if (Object.keys(change).length > 0) await prove(() => changeMember(org.id, member.user, change));
    onDone();
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <>
      <Dialog title={t('directory:member.details')} open onClose={onClose} sheet>
        <form className={form.form} onSubmit={onSubmit}>
          {own ? null : (
            <Field
              label={t('directory:member.name')}
              hint={t('directory:member.name_hint')}
              value={name}
              onChange={setName}
              error={at('name')}
              maxLength={50}
              isRequired
            />
          )}
          <Field
            label={t('directory:member.number')}
            value={number}
            onChange={setNumber}
            error={at('number')}
            maxLength={32}
          />
          {own ? (
            <p className={form.hint}>{t('directory:member.own_hint')}</p>
          ) : (
            <>
              <Toggle on={verified} onChange={setVerified}>
                {t('directory:member.verify')}
              </Toggle>
              <p className={form.hint}>{t('directory:member.verify_hint')}</p>
            </>
          )}
          <FormError>{general('name', 'number')}</FormError>
          <Button kind="primary" wide type="submit" isPending={pending}>
            {t('common:save')}
          </Button>
        </form>
      </Dialog>
      {dialog}
    </>
  );
}

function RoleDialog({ org, member, onClose, onDone }: TaskProps) {
  const t = useT();
  const { prove, dialog } = useProof();
  const [role, setRole] = useState<OrgRole>(member.role);
  const { submit, pending, general } = useSubmit(async () => {
    if (role !== member.role) await prove(() => changeMember(org.id, member.user, { role }));
    onDone();
  });
  const roles: OrgRole[] = org.role === 'owner' ? ['member', 'admin', 'owner'] : ['member', 'admin'];
  return (
    <>
      <Dialog
        title={t('directory:member.role_of', { name: member.name })}
        open
        onClose={onClose}
        sheet
        actions={
          <>
            <Button onPress={onClose}>{t('common:cancel')}</Button>
            <Button kind="primary" isPending={pending} onPress={() => void submit()}>
              {t('common:save')}
            </Button>
          </>
        }
      >
        <div className={form.form}>
          <Choice
            label={t('directory:member.role')}
            value={role}
            options={roles.map((id) => ({ id, label: t(`directory:role.${id}`) }))}
            onChange={setRole}
          />
          <p>{t(`directory:role_text.${role}`)}</p>
          <FormError>{general()}</FormError>
        </div>
      </Dialog>
      {dialog}
    </>
  );
}
