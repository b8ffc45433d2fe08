import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { EllipsisVertical, UserPlus } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { asAppError } from '~/api/client';
import { FRIENDS } from '~/api/query';
import type { Friend } from '~/api/types';
import { startDirect } from '~/features/chat';
import { useErrorText, useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { Button, IconButton } from '~/ui/Button';
import { CodeForm } from '~/ui/CodeForm';
import { CopyField } from '~/ui/CopyField';
import { Confirm, Dialog } from '~/ui/Dialog';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { InnerPage } from '~/ui/InnerPage';
import { Menu } from '~/ui/Menu';
import { PagedList, usePages } from '~/ui/PagedList';
import { QrCode } from '~/ui/QrCode';
import { Row, Rows, Section } from '~/ui/Section';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { acceptFriend, changeFriend, newOwnCode, readFriends, readOwnCode, removeFriend } from '../friends';

/** Friends belong to the person: they stay when an organisation is left. */
export function Friends() {
  const t = useT();
  const queries = useQueryClient();
  const [own, setOwn] = useState(false);
  const [adding, setAdding] = useState(false);
  const list = usePages(FRIENDS, (cursor) => readFriends(cursor));
  const { items } = list;
  const of = (state: Friend['state']) => items.filter((f) => f.state === state);
  const changed = () => void queries.invalidateQueries({ queryKey: FRIENDS });
  const groups = [
    { state: 'asked_me', title: t('directory:friends.asked_me') },
    { state: 'friend', title: t('directory:friends.friends') },
    { state: 'asked', title: t('directory:friends.asked') },
    { state: 'blocked', title: t('directory:friends.blocked') },
  ] as const;
  return (
    <InnerPage
      title={t('directory:friends.title')}
      back={{ to: '/contacts' }}
      end={
        <IconButton label={t('directory:friends.add')} onPress={() => setAdding(true)}>
          <UserPlus aria-hidden />
        </IconButton>
      }
    >
      <Button onPress={() => setOwn(true)}>{t('directory:friends.my_code')}</Button>
      <PagedList
        list={list}
        rows={4}
        empty={<EmptyState title={t('directory:friends.none')}>{t('directory:friends.none_text')}</EmptyState>}
      >
        {() =>
          groups.map(({ state, title }) =>
            of(state).length === 0 ? null : (
              <Section key={state} title={title}>
                <Rows>
                  {of(state).map((f) => (
                    <FriendRow key={f.user.id} friend={f} onChanged={changed} />
                  ))}
                </Rows>
              </Section>
            ),
          )
        }
      </PagedList>
      {own ? <OwnCode onClose={() => setOwn(false)} /> : null}
      {adding ? <AddDialog onClose={() => setAdding(false)} /> : null}
    </InnerPage>
  );
}

function FriendRow({ friend, onChanged }: { friend: Friend; onChanged: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const errorText = useErrorText();
  const [task, setTask] = useState<'remark' | 'block' | 'remove'>();
  const { id, name } = friend.user;
  const run = async (work: () => Promise<unknown>, said: string) => {
    try {
      await work();
      toast(said);
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
    onChanged();
  };
  const write = async () => {
    try {
      const conversation = (await startDirect(id)).id;
      await navigate({ to: '/chat/$conversation', params: { conversation } });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  const shown = friend.remark || name;
  const below = friend.state === 'asked_me' ? friend.hello : friend.remark ? name : undefined;
  return (
    <>
      <Row face={<Avatar id={id} name={name} size="small" />} words={shown} below={below}>
        {friend.state === 'asked_me' ? (
          <>
            <Button onPress={() => void run(() => removeFriend(id), t('directory:friends.refused'))}>
              {t('directory:friends.refuse')}
            </Button>
            <Button
              kind="primary"
              onPress={() => void run(() => acceptFriend(id), t('directory:friends.accepted', { name }))}
            >
              {t('directory:friends.accept')}
            </Button>
          </>
        ) : friend.state === 'asked' ? (
          <Button onPress={() => void run(() => removeFriend(id), t('directory:friends.withdrawn'))}>
            {t('directory:friends.withdraw')}
          </Button>
        ) : friend.state === 'blocked' ? (
          <Button
            onPress={() =>
              void run(() => changeFriend(id, { blocked: false }), t('directory:friends.unblocked', { name }))
            }
          >
            {t('directory:friends.unblock')}
          </Button>
        ) : (
          <>
            <Button onPress={() => void write()}>{t('directory:message')}</Button>
            <Menu
              label={t('directory:member.acts', { name: shown })}
              actions={[
                { id: 'remark', label: t('directory:friends.remark'), run: () => setTask('remark') },
                { id: 'block', label: t('directory:friends.block'), danger: true, run: () => setTask('block') },
                { id: 'remove', label: t('directory:friends.remove'), danger: true, run: () => setTask('remove') },
              ]}
            >
              <IconButton label={t('directory:member.acts', { name: shown })}>
                <EllipsisVertical aria-hidden />
              </IconButton>
            </Menu>
          </>
        )}
      </Row>
      {task === 'remark' ? (
        <RemarkDialog
          friend={friend}
          onClose={() => setTask(undefined)}
          onDone={() => {
            setTask(undefined);
            onChanged();
          }}
        />
      ) : null}
      <Confirm
        open={task === 'block'}
        onClose={() => setTask(undefined)}
        onConfirm={() =>
          void run(() => changeFriend(id, { blocked: true }), t('directory:friends.blocked_now', { name }))
        }
        title={t('directory:friends.block_title', { name })}
        confirm={t('directory:friends.block')}
      >
        {t('directory:friends.block_text')}
      </Confirm>
      <Confirm
        open={task === 'remove'}
        onClose={() => setTask(undefined)}
        onConfirm={() => void run(() => removeFriend(id), t('directory:friends.removed', { name }))}
        title={t('directory:friends.remove_title', { name })}
        confirm={t('directory:friends.remove')}
      >
        {t('directory:friends.remove_text')}
      </Confirm>
    </>
  );
}

function RemarkDialog({ friend, onClose, onDone }: { friend: Friend; onClose: () => void; onDone: () => void }) {
  const t = useT();
  const [remark, setRemark] = useState(friend.remark ?? '');
  const { submit, pending, at, general } = useSubmit(async () => {
    await changeFriend(friend.user.id, { remark: remark.trim() });
    onDone();
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Dialog title={t('directory:friends.remark')} open onClose={onClose} sheet>
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={t('directory:friends.remark_of', { name: friend.user.name })}
          hint={t('directory:friends.remark_hint')}
          value={remark}
          onChange={setRemark}
          error={at('remark') ?? general('remark')}
          maxLength={50}
          autoFocus
        />
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('common:save')}
        </Button>
      </form>
    </Dialog>
  );
}

function OwnCode({ onClose }: { onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const code = useQuery({ queryKey: ['friend-code'], queryFn: readOwnCode });
  const renew = useSubmit(async () => {
    queries.setQueryData(['friend-code'], await newOwnCode());
    toast(t('directory:friends.code_renewed'));
  });
  return (
    <Dialog title={t('directory:friends.my_code')} open onClose={onClose} sheet>
      <div className={form.form}>
        <p>{t('directory:friends.code_text')}</p>
        {code.isError ? (
          <FailedState error={code.error} retry={() => void code.refetch()} />
        ) : !code.data ? (
          <SkeletonRows rows={2} />
        ) : (
          <>
            <div className={form.code}>
              <QrCode text={code.data.url} label={t('directory:friends.my_code')} />
            </div>
            <CopyField label={t('directory:friends.code_link')} text={code.data.url} />
          </>
        )}
        <FormError>{renew.general()}</FormError>
        <Button isPending={renew.pending} onPress={() => void renew.submit()}>
          {t('directory:friends.code_renew')}
        </Button>
      </div>
    </Dialog>
  );
}

/** What was pasted leads to the person's own page, where asking is a button. */
function AddDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  return (
    <Dialog title={t('directory:friends.add')} open onClose={onClose} sheet>
      <CodeForm
        place="u"
        label={t('directory:friends.code')}
        hint={t('directory:friends.code_hint')}
        onCode={(code) => void navigate({ to: '/u/$code', params: { code } })}
      />
    </Dialog>
  );
}
