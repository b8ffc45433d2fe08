import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Field } from '~/ui/Field';
import form from '~/ui/form.module.css';
import { Page } from '~/ui/Page';

/** The code in what was pasted: a whole link, or the code alone. */
export function codeOf(text: string): string {
  const clean = text.trim();
  return /\/join\/([^/?#\s]+)/.exec(clean)?.[1] ?? clean.replace(/\s+/g, '');
}

export function JoinCode() {
  const t = useT();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const code = codeOf(text);
    if (code) void navigate({ to: '/join/$code', params: { code } });
  };
  return (
    <Page title={t('onboarding:join.title')}>
      <form className={form.form} onSubmit={onSubmit}>
        <Field
          label={t('onboarding:join.code')}
          hint={t('onboarding:join.code_hint')}
          value={text}
          onChange={setText}
          autoComplete="off"
          autoFocus
          isRequired
        />
        <Button kind="primary" wide type="submit">
          {t('onboarding:join.submit')}
        </Button>
      </form>
    </Page>
  );
}
