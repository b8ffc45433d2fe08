import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { FRIENDS } from '~/api/query';
import type { PersonLook } from '~/api/types';
import { learnPeople } from '~/core/store/people';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { EmptyState } from '~/ui/EmptyState';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { InnerPage } from '~/ui/InnerPage';
import { SkeletonRows } from '~/ui/Skeleton';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { askFriend, findPerson } from '../friends';

/** Who stands behind a person's own code. */
export function Person() {
  const t = useT();
  const { code } = useParams({ from: '/_inside/u/$code' });
  const found = useQuery({
    queryKey: ['person', code],
    queryFn: async () => {
      const person = await findPerson(code);
      learnPeople([person.user]);
      return person;
    },
    retry: false,
  });
  return (
    <InnerPage title={t('directory:friends.add')} back={{ to: '/friends' }}>
      {found.isError ? (
        <EmptyState title={t('directory:friends.code_bad')}>{t('directory:friends.code_bad_text')}</EmptyState>
      ) : !found.data ? (
        <SkeletonRows rows={1} />
      ) : (
        <Ask person={found.data} code={code} />
      )}
    </InnerPage>
  );
}

function Ask({ person, code }: { person: PersonLook; code: string }) {
  const t = useT();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [hello, setHello] = useState('');
  const { submit, pending, at, general } = useSubmit(async () => {
    await askFriend({ code }, hello.trim());
    toast(t('directory:friends.asked_now', { name: person.user.name }));
    await queries.invalidateQueries({ queryKey: FRIENDS });
    await navigate({ to: '/friends', replace: true });
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <form className={form.form} onSubmit={onSubmit}>
      <div>
        <Avatar id={person.user.id} name={person.user.name} size="large" />
      </div>
      <h2>{person.user.name}</h2>
      {person.user.bio ? <p>{person.user.bio}</p> : null}
      {person.state === 'friend' ? (
        <p>{t('directory:friends.already')}</p>
      ) : (
        <>
          <Field
            label={t('directory:friends.hello')}
            value={hello}
            onChange={setHello}
            error={at('hello')}
            maxLength={100}
          />
          <FormError>{general('hello')}</FormError>
          <Button kind="primary" wide type="submit" isPending={pending}>
            {person.state === 'asked_me' ? t('directory:friends.accept') : t('directory:friends.ask')}
          </Button>
        </>
      )}
    </form>
  );
}
