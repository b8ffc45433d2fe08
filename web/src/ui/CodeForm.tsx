import { type FormEvent, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from './Button';
import { Field } from './Field';
import form from './form.module.css';

/** The code in what was pasted: a whole link to `place`, or the code alone, spaces left out. */
export function codeOf(text: string, place: 'join' | 'u'): string {
  const clean = text.trim();
  return new RegExp(`/${place}/([^/?#\\s]+)`).exec(clean)?.[1] ?? clean.replace(/\s+/g, '');
}

/** Where a link or a code that somebody was given is pasted. */
export function CodeForm({
  place,
  label,
  hint,
  onCode,
}: {
  place: 'join' | 'u';
  label: string;
  hint: string;
  onCode: (code: string) => void;
}) {
  const t = useT();
  const [text, setText] = useState('');
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const code = codeOf(text, place);
    if (code) onCode(code);
  };
  return (
    <form className={form.form} onSubmit={onSubmit}>
      <Field label={label} hint={hint} value={text} onChange={setText} autoComplete="off" autoFocus isRequired />
      <Button kind="primary" wide type="submit">
        {t('onboarding:join.submit')}
      </Button>
    </form>
  );
}
