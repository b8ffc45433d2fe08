import { useNavigate } from '@tanstack/react-router';
import { Link2 } from 'lucide-react';
import { Suspense, useState } from 'react';
import { useStore } from 'zustand';
import { directory, MemberPicker } from '~/features/directory';
import { GuestLinksDialog } from '~/features/guests';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { Dialog } from '~/ui/Dialog';
import { EmptyState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import { SkeletonRows } from '~/ui/Skeleton';
import { useSubmit } from '~/ui/useSubmit';
import { createGroup, startDirect } from '../actions';

interface Picked {
  id: string;
  name: string;
}

/** One person makes a direct conversation, several make a group; a group may have a name. */
export function NewChat({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const orgs = useStore(directory, (s) => s.orgs);
  const list = Object.values(orgs);
  const [orgId, setOrgId] = useState<string>();
  const [picked, setPicked] = useState<Picked[]>([]);
  const [title, setTitle] = useState('');
  const [guests, setGuests] = useState(false);
  const org = (orgId ? orgs[orgId] : undefined) ?? list[0];
  const close = () => {
    onClose();
    setPicked([]);
    setTitle('');
  };
  const { submit, pending, at, general } = useSubmit(async () => {
    const [first] = picked;
    if (!first) return;
    const members = picked.map((p) => p.id);
    const group = picked.length > 1 || title.trim() !== '';
    const made = group ? await createGroup(org?.id, title.trim(), members) : await startDirect(first.id);
    close();
    await navigate({ to: '/chat/$conversation', params: { conversation: made.id } });
  });
  const action =
    picked.length > 1 || title.trim() ? t('chat:new.group', { count: picked.length + 1 }) : t('chat:new.direct');
  return (
    <Dialog
      open={open}
      tall={list.length > 0}
      title={t('chat:new.title')}
      onClose={close}
      actions={
        <>
          <Button onPress={close}>{t('common:cancel')}</Button>
          <Button kind="primary" isDisabled={picked.length === 0} isPending={pending} onPress={() => void submit()}>
            {action}
          </Button>
        </>
      }
    >
      {list.length > 1 && org ? (
        <Choice
          chips
          label={t('chat:new.org')}
          value={org.id}
          options={list.map((o) => ({ id: o.id, label: o.name }))}
          onChange={(id) => {
            setOrgId(id);
            setPicked([]);
          }}
        />
      ) : null}
      {org ? (
        <>
          <span>
            <Button kind="quiet" onPress={() => setGuests(true)}>
              <Link2 aria-hidden size={16} />
              {t('guests:open')}
            </Button>
          </span>
          <Suspense fallback={<SkeletonRows rows={4} />}>
            <MemberPicker org={org.id} picked={picked} onChange={setPicked} />
          </Suspense>
          {picked.length > 1 ? (
            <Field
              label={t('chat:new.name')}
              hint={t('chat:new.name_hint')}
              value={title}
              onChange={setTitle}
              maxLength={100}
              error={at('title')}
            />
          ) : null}
        </>
      ) : (
        <EmptyState title={t('chat:new.no_org')} />
      )}
      <FormError>{general('title')}</FormError>
      {guests ? (
        <Suspense>
          <GuestLinksDialog orgs={list} onClose={() => setGuests(false)} />
        </Suspense>
      ) : null}
    </Dialog>
  );
}
