import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useStore } from 'zustand';
import { AppError } from '~/api/client';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page, PageFoot } from '~/ui/Page';
import { useSubmit } from '~/ui/useSubmit';
import { finishReset, type Second, startReset } from '../api';
import { CodeField } from '../parts/CodeField';
import { SecondStep, secondMethods } from '../parts/SecondStep';
import { useEnter } from '../parts/useEnter';

/** A way back in by a contact point, and, where the server sends nothing, what else there is. */
export function Reset() {
  const t = useT();
  const can = useStore(session, (s) => s.server?.can);
  const [contact, setContact] = useState('');
  const [id, setId] = useState<string>();
  const ask = useSubmit(async () => setId((await startReset(contact.trim())).id));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void ask.submit();
  };
  const foot = (
    <PageFoot>
      <Link to="/sign-in">{t('identity:reset.back')}</Link>
    </PageFoot>
  );
  if (!can?.email && !can?.sms) {
    return (
      <Page title={t('identity:reset.title')} lead={t('identity:reset.nothing_sent')}>
        <p>{t('identity:reset.ask_org')}</p>
        {foot}
      </Page>
    );
  }
  if (id) return <Finish id={id} contact={contact} onAgain={() => setId(undefined)} />;
  return (
    <Page title={t('identity:reset.title')} lead={t('identity:reset.text')}>
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={
            can.email && can.sms
              ? t('identity:reset.contact')
              : can.email
                ? t('identity:reset.email')
                : t('identity:reset.phone')
          }
          error={ask.at('contact')}
          value={contact}
          onChange={setContact}
          autoComplete={can.email ? 'email' : 'tel'}
          autoFocus
          isRequired
        />
        <FormError>{ask.general('contact')}</FormError>
        <Button kind="primary" wide type="submit" isPending={ask.pending}>
          {t('identity:reset.send')}
        </Button>
      </form>
      <p>{t('identity:reset.ask_org')}</p>
      {foot}
    </Page>
  );
}

function Finish({ id, contact, onAgain }: { id: string; contact: string; onAgain: () => void }) {
  const t = useT();
  const enter = useEnter(undefined);
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [second, setSecond] = useState(false);
  const [methods, setMethods] = useState<string[]>();
  const attempt = async (more: { second?: Second }) => {
    try {
      await enter(await finishReset(id, { code: code.trim(), new_password: password, ...more }));
    } catch (error) {
      const wanted = error instanceof AppError ? error.code : '';
      if (error instanceof AppError && wanted === 'second_factor_required') setMethods(secondMethods(error));
      if (!second && (wanted === 'second_factor_required' || wanted === 'second_proof_required'))
        return setSecond(true);
      throw error;
    }
  };
  const { submit, pending, at, general } = useSubmit(attempt);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit({});
  };
  if (second) {
    return (
      <Page title={t('identity:reset.title')} lead={t('identity:reset.second')}>
        <SecondStep methods={methods} onGive={(given) => attempt({ second: given })} onBack={() => setSecond(false)} />
      </Page>
    );
  }
  return (
    // Whether anybody has this contact is not said: the words are the same for all.
    <Page title={t('identity:reset.title')} lead={t('identity:reset.sent', { contact })}>
      <form className={form.form} onSubmit={onSubmit}>
        <CodeField label={t('identity:reset.code')} error={at('code')} value={code} onChange={setCode} />
        <Field
          label={t('identity:reset.new_password')}
          hint={t('identity:sign_up.password_hint')}
          error={at('new_password')}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          minLength={8}
          maxLength={256}
          isRequired
        />
        <FormError>{general('code', 'new_password')}</FormError>
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('identity:reset.save')}
        </Button>
        <Button kind="quiet" wide onPress={onAgain}>
          {t('identity:reset.again')}
        </Button>
      </form>
    </Page>
  );
}
