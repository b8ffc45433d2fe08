import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { createOrg } from '~/features/directory';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page } from '~/ui/Page';
import { useSubmit } from '~/ui/useSubmit';

export function CreateOrg() {
  const t = useT();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const { submit, pending, at, general } = useSubmit(async () => {
    const org = await createOrg(name.trim());
    await navigate({ to: '/invite/$org', params: { org: org.id }, replace: true });
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Page title={t('onboarding:create.title')}>
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={t('onboarding:create.name')}
          hint={t('onboarding:create.name_hint')}
          error={at('name')}
          value={name}
          onChange={setName}
          autoComplete="organization"
          maxLength={100}
          autoFocus
          isRequired
        />
        <FormError>{general('name')}</FormError>
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('onboarding:create.submit')}
        </Button>
      </form>
    </Page>
  );
}
