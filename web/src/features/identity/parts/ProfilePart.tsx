import { Camera } from 'lucide-react';
import { type ChangeEvent, type FormEvent, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { lighter } from '~/core/photos';
import { learnPeople } from '~/core/store/people';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { changeMe, dropPhoto, readMe, setPhoto } from '../api';
import styles from './ProfilePart.module.css';

/** How others see me: photo, name, a few words. */
export function ProfilePart() {
  const t = useT();
  const me = useStore(session, (s) => s.me);
  const [name, setName] = useState(me?.name ?? '');
  const [bio, setBio] = useState(me?.bio ?? '');
  const { submit, pending, at, general } = useSubmit(async () => {
    const user = await changeMe({
      ...(name.trim() === me?.name ? {} : { name: name.trim() }),
      ...(bio.trim() === (me?.bio ?? '') ? {} : { bio: bio.trim() }),
    });
    session.setState({ me: { ...me, ...user } });
    learnPeople([user]);
    toast(t('identity:profile.saved'));
  });
  if (!me) return null;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const changed = name.trim() !== '' && (name.trim() !== me.name || bio.trim() !== (me.bio ?? ''));
  return (
    <section className={styles.profile}>
      <Photo id={me.id} name={me.name} has={Boolean(me.photo)} />
      <form className={styles.fields} onSubmit={onSubmit}>
        <Field
          label={t('settings:name')}
          value={name}
          onChange={setName}
          maxLength={50}
          error={at('name')}
          hint={me.login ? `${t('settings:login')}: ${me.login}` : undefined}
        />
        <Field label={t('identity:profile.bio')} value={bio} onChange={setBio} maxLength={200} error={at('bio')} />
        <FormError>{general('name', 'bio')}</FormError>
        {changed ? (
          <Button kind="primary" type="submit" isPending={pending}>
            {t('common:save')}
          </Button>
        ) : null}
      </form>
    </section>
  );
}

function Photo({ id, name, has }: { id: string; name: string; has: boolean }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  const refresh = async () => {
    const { user } = await readMe();
    session.setState({ me: user });
    learnPeople([user]);
  };
  const put = useSubmit(async (file: File) => {
    await setPhoto(await lighter(file));
    await refresh();
    toast(t('identity:profile.photo_saved'));
  });
  const drop = useSubmit(async () => {
    await dropPhoto();
    await refresh();
  });
  const onChange = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    // The same file may be chosen again after a failure.
    event.target.value = '';
    if (file) void put.submit(file);
  };
  return (
    <div className={styles.photo}>
      <Avatar id={id} name={name} size="large" />
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        className="visually-hidden"
        tabIndex={-1}
        aria-hidden
        onChange={onChange}
      />
      <Button isPending={put.pending} onPress={() => input.current?.click()}>
        <Camera aria-hidden size={16} />
        {t('identity:profile.photo')}
      </Button>
      {has ? (
        <Button kind="quiet" isPending={drop.pending} onPress={() => void drop.submit()}>
          {t('identity:profile.photo_drop')}
        </Button>
      ) : null}
      <FormError>{put.general() ?? drop.general()}</FormError>
    </div>
  );
}
