import { useNavigate } from '@tanstack/react-router';
import { UserMinus, UserPlus, X } from 'lucide-react';
import { type FormEvent, Suspense, useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import type { ConversationMember } from '~/api/types';
import { sharedNames, shortId } from '~/core/names';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { watchPeople } from '~/core/watch';
import { directory, MemberPicker, ProfileDialog } from '~/features/directory';
import { GuestLinksDialog } from '~/features/guests';
import { useErrorText, useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { Button, IconButton } from '~/ui/Button';
import { Confirm, Dialog } from '~/ui/Dialog';
import { FailedState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import { Marks } from '~/ui/Marks';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { Toggle } from '~/ui/Toggle';
import { useSubmit } from '~/ui/useSubmit';
import { addMembers, removeMember, rename, setPreferences } from '../actions';
import type { HeldConversation } from '../events';
import { useMarks } from '../marks';
import { loadMembers } from '../members';
import { chat } from '../store';
import { ConversationAvatar } from './ConversationAvatar';
import styles from './Details.module.css';

/** About a conversation: its name, who is in it, and how it behaves for me. */
export function Details({
  conversation: c,
  title,
  onClose,
}: {
  conversation: HeldConversation;
  title: string;
  onClose: () => void;
}) {
  const t = useT();
  const errorText = useErrorText();
  const prefer = (change: Parameters<typeof setPreferences>[1]) =>
    void setPreferences(c.id, change).catch((e) => toast(errorText(asAppError(e))));
  return (
    <aside className={styles.pane} aria-label={t('chat:details.title')}>
      <header className={styles.head}>
        <h2>{t('chat:details.title')}</h2>
        <IconButton label={t('common:close')} onPress={onClose}>
          <X aria-hidden />
        </IconButton>
      </header>
      <div className={styles.body}>
        <div className={styles.who}>
          <ConversationAvatar conversation={c} title={title} size="large" />
          {c.can.rename ? <Name conversation={c} title={title} /> : <strong>{title}</strong>}
        </div>
        <div>
          <Toggle on={c.preferences.muted} onChange={(muted) => prefer({ muted })}>
            {t('chat:details.mute')}
            <span className={styles.hint}>{t('chat:details.mute_hint')}</span>
          </Toggle>
          <Toggle on={c.preferences.pinned} onChange={(pinned) => prefer({ pinned })}>
            {t('chat:details.pin')}
          </Toggle>
        </div>
        {c.kind === 'group' || c.kind === 'all_staff' ? <Members conversation={c} /> : null}
        {c.kind === 'group' && c.can.add ? <Guests conversation={c} title={title} /> : null}
        {c.kind === 'group' ? <Leave conversation={c} title={title} /> : null}
      </div>
    </aside>
  );
}

function Name({ conversation: c, title }: { conversation: HeldConversation; title: string }) {
  const t = useT();
  const [name, setName] = useState(c.title ?? '');
  const { submit, pending, error, general } = useSubmit(() => rename(c.id, name.trim()));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <form className={styles.name} onSubmit={onSubmit}>
      <Field
        label={t('chat:details.name')}
        placeholder={title}
        value={name}
        onChange={setName}
        maxLength={100}
        error={error ? general() : undefined}
      />
      {name.trim() !== '' && name.trim() !== (c.title ?? '') ? (
        <Button kind="primary" type="submit" isPending={pending}>
          {t('common:save')}
        </Button>
      ) : null}
    </form>
  );
}

const WATCHED = 100;

function Members({ conversation: c }: { conversation: HeldConversation }) {
  const t = useT();
  const members = useStore(chat, (s) => s.members[c.id]);
  const presence = useStore(people, (s) => s.presence);
  const [failed, setFailed] = useState<unknown>();
  const [adding, setAdding] = useState(false);
  const load = () => {
    setFailed(undefined);
    loadMembers(c.id).catch(setFailed);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again when another conversation opens or the list was dropped
  useEffect(() => {
    if (!members) load();
  }, [c.id, members === undefined]);
  const twins = useMemo(() => sharedNames(members ?? []), [members]);
  const ids = (members ?? [])
    .slice(0, WATCHED)
    .map((m) => m.user)
    .join();
  useEffect(() => watchPeople('details', ids ? ids.split(',') : []), [ids]);
  return (
    <section aria-label={t('chat:details.members')}>
      <div className={styles.membersHead}>
        <h3>{t('chat:details.members_count', { count: c.member_count })}</h3>
        {c.can.add ? (
          <IconButton label={t('chat:details.add')} onPress={() => setAdding(true)}>
            <UserPlus aria-hidden />
          </IconButton>
        ) : null}
      </div>
      {failed ? (
        <FailedState error={failed} retry={load} />
      ) : !members ? (
        <SkeletonRows rows={4} />
      ) : (
        <ul>
          {members.map((m) => (
            <Member
              key={m.user}
              conversation={c}
              member={m}
              twin={twins.has(m.name)}
              online={presence[m.user] === 'online'}
            />
          ))}
        </ul>
      )}
      <AddMembers conversation={c} open={adding} onClose={() => setAdding(false)} members={members ?? []} />
    </section>
  );
}

function Member({
  conversation: c,
  member: m,
  twin,
  online,
}: {
  conversation: HeldConversation;
  member: ConversationMember;
  twin: boolean;
  online: boolean;
}) {
  const t = useT();
  const errorText = useErrorText();
  const [card, setCard] = useState(false);
  const [removing, setRemoving] = useState(false);
  const marks = useMarks(c.id, m.user);
  const leads = c.kind === 'group' && (c.my_role === 'owner' || c.my_role === 'admin');
  const removable = leads && m.user !== myId() && m.role !== 'owner';
  // Taken back in one step by adding again, so nothing asks first; a guest could not come back.
  const remove = async () => {
    try {
      await removeMember(c.id, m.user);
      if (marks.guest) return;
      toast(t('chat:details.removed', { who: m.name }), {
        label: t('chat:details.undo'),
        run: () => void addMembers(c.id, [m.user]).catch((e) => toast(errorText(asAppError(e)))),
      });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  return (
    <li className={styles.member}>
      <button
        type="button"
        className={styles.card}
        aria-label={t('directory:profile.open', { name: m.name })}
        onClick={() => setCard(true)}
      >
        <Avatar id={m.user} name={m.name} size="small" online={online ? t('common:online') : undefined} />
        <span className={styles.memberName}>{m.name}</span>
        <Marks of={marks} />
      </button>
      {card ? (
        <Suspense>
          <ProfileDialog user={m.user} name={m.name} onClose={() => setCard(false)} />
        </Suspense>
      ) : null}
      {twin ? <span className={styles.note}>{shortId(m.user)}</span> : null}
      {m.role === 'member' ? null : <span className={styles.note}>{t(`directory:role.${m.role}`)}</span>}
      {removable ? (
        <IconButton
          small
          label={t('chat:details.remove', { who: m.name })}
          onPress={() => (marks.guest ? setRemoving(true) : void remove())}
        >
          <UserMinus aria-hidden />
        </IconButton>
      ) : null}
      <Confirm
        open={removing}
        onClose={() => setRemoving(false)}
        onConfirm={() => void remove()}
        title={t('guests:remove_title', { who: m.name })}
        confirm={t('chat:details.remove', { who: m.name })}
      >
        {t('guests:remove_text')}
      </Confirm>
    </li>
  );
}

/** The way in for people without an account, where the group is an organisation's. */
function Guests({ conversation: c, title }: { conversation: HeldConversation; title: string }) {
  const t = useT();
  const org = useStore(directory, (s) => s.orgs[c.org_id ?? '']);
  const [open, setOpen] = useState(false);
  if (!org) return null;
  return (
    <>
      <Button onPress={() => setOpen(true)}>{t('guests:open')}</Button>
      {open ? (
        <Suspense>
          <GuestLinksDialog orgs={[org]} group={{ id: c.id, title }} onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}

function AddMembers({
  conversation: c,
  open,
  onClose,
  members,
}: {
  conversation: HeldConversation;
  open: boolean;
  onClose: () => void;
  members: ConversationMember[];
}) {
  const t = useT();
  const [picked, setPicked] = useState<{ id: string; name: string }[]>([]);
  const first = useStore(directory, (s) => Object.keys(s.orgs)[0]);
  const close = () => {
    onClose();
    setPicked([]);
  };
  const { submit, pending, general } = useSubmit(async () => {
    await addMembers(
      c.id,
      picked.map((p) => p.id),
    );
    close();
  });
  return (
    <Dialog
      open={open}
      tall
      title={t('chat:details.add')}
      onClose={close}
      actions={
        <>
          <Button onPress={close}>{t('common:cancel')}</Button>
          <Button kind="primary" isDisabled={picked.length === 0} isPending={pending} onPress={() => void submit()}>
            {t('chat:details.add_count', { count: picked.length })}
          </Button>
        </>
      }
    >
      <Suspense fallback={<SkeletonRows rows={4} />}>
        <MemberPicker
          org={c.org_id ?? first}
          picked={picked}
          onChange={setPicked}
          without={new Set(members.map((m) => m.user))}
        />
      </Suspense>
      <FormError>{general()}</FormError>
    </Dialog>
  );
}

function Leave({ conversation: c, title }: { conversation: HeldConversation; title: string }) {
  const t = useT();
  const errorText = useErrorText();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const leave = async () => {
    try {
      await removeMember(c.id, myId());
      await navigate({ to: '/chat' });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  return (
    <>
      <Button kind="danger" onPress={() => setAsking(true)}>
        {t('chat:details.leave')}
      </Button>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => void leave()}
        title={t('chat:details.leave_title', { title })}
        confirm={t('chat:details.leave')}
      >
        {t('chat:details.leave_text')}
      </Confirm>
    </>
  );
}
