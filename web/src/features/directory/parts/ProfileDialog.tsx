import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { FRIENDS } from '~/api/query';
import type { Profile } from '~/api/types';
import { learnPeople } from '~/core/store/people';
import { startDirect } from '~/features/chat';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { FailedState } from '~/ui/EmptyState';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Marks } from '~/ui/Marks';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { askFriend, readProfile } from '../friends';
import styles from './ProfileDialog.module.css';

/** A person's card: who they are to me, where we meet, what I can do. */
export function ProfileDialog({ user, name, onClose }: { user: string; name: string; onClose: () => void }) {
  const profile = useQuery({
    queryKey: ['profile', user],
    staleTime: 0,
    queryFn: async () => {
      const found = await readProfile(user);
      learnPeople([found.user]);
      return found;
    },
  });
  return (
    <Dialog title={name} open onClose={onClose} sheet>
      {profile.isError ? (
        <FailedState error={profile.error} retry={() => void profile.refetch()} />
      ) : !profile.data ? (
        <SkeletonRows rows={2} />
      ) : (
        <Card profile={profile.data} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Card({ profile: p, onClose }: { profile: Profile; onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const write = useSubmit(async () => {
    const { id } = await startDirect(p.user.id);
    onClose();
    await navigate({ to: '/chat/$conversation', params: { conversation: id } });
  });
  const ask = useSubmit(async () => {
    await askFriend({ user: p.user.id }, '');
    toast(t('directory:friends.asked_now', { name: p.user.name }));
    await queries.invalidateQueries({ queryKey: FRIENDS });
    await queries.invalidateQueries({ queryKey: ['profile', p.user.id] });
  });
  return (
    <div className={form.form}>
      <div className={styles.who}>
        <Avatar id={p.user.id} name={p.user.name} size="large" />
        <div className={styles.words}>
          <strong className={styles.name}>
            {p.user.name}
            <Marks of={{ ...p, guest: p.user.kind === 'guest' }} />
          </strong>
          {p.remark ? <span>{t('directory:profile.remark', { remark: p.remark })}</span> : null}
          <span className={styles.relation}>{t(`directory:profile.relation.${p.relation}`)}</span>
        </div>
      </div>
      {p.user.bio ? <p>{p.user.bio}</p> : null}
      {p.lookalike ? <p className={form.notice}>{t('directory:profile.lookalike')}</p> : null}
      {p.orgs.length > 0 ? (
        <dl className={styles.orgs}>
          {p.orgs.map((o) => (
            <div key={o.id}>
              <dt>{o.name}</dt>
              <dd>
                {[
                  // Said above already, unless they go by another name there.
                  o.member_name === p.user.name ? undefined : o.member_name,
                  o.role === 'member' ? undefined : t(`directory:role.${o.role}`),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
      <FormError>{write.general() ?? ask.general()}</FormError>
      {p.can.message && p.relation !== 'self' ? (
        <Button kind="primary" wide isPending={write.pending} onPress={() => void write.submit()}>
          {t('directory:message')}
        </Button>
      ) : null}
      {p.can.friend ? (
        <Button wide isPending={ask.pending} onPress={() => void ask.submit()}>
          {p.friend === 'asked_me' ? t('directory:friends.accept') : t('directory:friends.ask')}
        </Button>
      ) : null}
    </div>
  );
}
