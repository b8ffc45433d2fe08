import { type FormEvent, useState } from 'react';
import type { Me } from '~/api/types';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Row, Rows, Section } from '~/ui/Section';
import { toast } from '~/ui/Toast';
import { Toggle } from '~/ui/Toggle';
import { useSubmit } from '~/ui/useSubmit';
import { setPassword } from '../api';

export type Prove = <T>(work: () => Promise<T>) => Promise<T>;

/** Setting the first password, or another one. */
export function PasswordPart({ me, prove, onChanged }: { me: Me; prove: Prove; onChanged: () => void }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const has = me.credentials.password;
  return (
    <Section title={t('identity:password.title')}>
      <Rows>
        <Row
          words={has ? t('identity:password.set') : t('identity:password.none')}
          below={t('identity:password.login', { login: me.user.login ?? me.user.name })}
        >
          <Button kind={has ? 'plain' : 'primary'} onPress={() => setOpen(true)}>
            {has ? t('identity:password.change') : t('identity:password.add')}
          </Button>
        </Row>
      </Rows>
      {open ? (
        <PasswordDialog
          has={has}
          prove={prove}
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            toast(t('identity:password.saved'));
            onChanged();
          }}
        />
      ) : null}
    </Section>
  );
}

function PasswordDialog({
  has,
  prove,
  onClose,
  onDone,
}: {
  has: boolean;
  prove: Prove;
  onClose: () => void;
  onDone: () => void;
}) {
  const t = useT();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [endOthers, setEndOthers] = useState(true);
  const { submit, pending, at, general } = useSubmit(async () => {
    await prove(() =>
      setPassword({ ...(has ? { password: current } : {}), new_password: next, end_other_sessions: endOthers }),
    );
    onDone();
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Dialog title={has ? t('identity:password.change') : t('identity:password.add')} open onClose={onClose} sheet>
      <form className={form.form} onSubmit={onSubmit}>
        {has ? (
          <Field
            label={t('identity:password.current')}
            type="password"
            value={current}
            onChange={setCurrent}
            error={at('password')}
            autoComplete="current-password"
            autoFocus
            isRequired
          />
        ) : null}
        <Field
          label={t('identity:reset.new_password')}
          hint={t('identity:sign_up.password_hint')}
          type="password"
          value={next}
          onChange={setNext}
          error={at('new_password')}
          autoComplete="new-password"
          minLength={8}
          maxLength={256}
          autoFocus={!has}
          isRequired
        />
        <Toggle on={endOthers} onChange={setEndOthers}>
          {t('identity:password.end_others')}
        </Toggle>
        <FormError>{general('password', 'new_password')}</FormError>
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('common:save')}
        </Button>
      </form>
    </Dialog>
  );
}
