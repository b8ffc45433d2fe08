import { Fingerprint } from 'lucide-react';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { AppError } from '~/api/client';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Dialog } from '~/ui/Dialog';
import { Field } from '~/ui/Field';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';
import { proveByPasskey, proveByPassword, proveByTotp } from '../api';
import { passkeysHere } from '../passkey';
import { CodeField } from './CodeField';

type Method = 'password' | 'passkey' | 'totp';

interface Asked {
  methods: Method[];
  settle: (proved: boolean) => void;
}

/** Somebody changed their mind: nothing to tell them. */
export class NotProved extends AppError {
  constructor() {
    super('proof_required', -1);
  }
}

/**
 * Runs what may ask for a fresh proof: where the server does, the person is asked, and it runs once more. Put `dialog`
 * somewhere in the screen.
 */
export function useProof(): { prove: <T>(work: () => Promise<T>) => Promise<T>; dialog: ReactNode } {
  const [asked, setAsked] = useState<Asked>();
  const waiting = useRef<Asked>(undefined);
  const close = (proved: boolean) => {
    waiting.current?.settle(proved);
    waiting.current = undefined;
    setAsked(undefined);
  };
  const prove = async <T,>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'proof_required') throw error;
      const methods = (error.context.methods as Method[] | undefined) ?? ['password'];
      const proved = await new Promise<boolean>((settle) => {
        waiting.current = { methods, settle };
        setAsked(waiting.current);
      });
      if (!proved) throw new NotProved();
      return work();
    }
  };
  return {
    prove,
    dialog: asked ? (
      <ProofDialog methods={asked.methods} onDone={() => close(true)} onClose={() => close(false)} />
    ) : null,
  };
}

function ProofDialog({ methods, onDone, onClose }: { methods: Method[]; onDone: () => void; onClose: () => void }) {
  const t = useT();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const byWord = useSubmit(async () => {
    if (methods.includes('password')) await proveByPassword(password);
    else await proveByTotp(code);
    onDone();
  });
  const byPasskey = useSubmit(async () => {
    await proveByPasskey();
    onDone();
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void byWord.submit();
  };
  const word = methods.includes('password') || methods.includes('totp');
  return (
    <Dialog title={t('identity:proof.title')} open onClose={onClose} sheet>
      <form className={form.form} onSubmit={onSubmit}>
        <p>{t('identity:proof.text')}</p>
        {methods.includes('passkey') && passkeysHere() ? (
          <Button
            wide
            kind={word ? 'plain' : 'primary'}
            isPending={byPasskey.pending}
            onPress={() => void byPasskey.submit()}
          >
            <Fingerprint aria-hidden size={18} />
            {t('identity:proof.passkey')}
          </Button>
        ) : null}
        <FormError>{byPasskey.general()}</FormError>
        {methods.includes('password') ? (
          <Field
            label={t('identity:sign_in.password')}
            type="password"
            value={password}
            onChange={setPassword}
            error={byWord.at('password') ?? byWord.general()}
            autoComplete="current-password"
            autoFocus
            isRequired
          />
        ) : methods.includes('totp') ? (
          <CodeField
            label={t('identity:second.totp')}
            hint={t('identity:second.totp_hint')}
            value={code}
            onChange={setCode}
            error={byWord.at('totp') ?? byWord.general()}
          />
        ) : null}
        {word ? (
          <Button kind="primary" wide type="submit" isPending={byWord.pending}>
            {t('identity:proof.submit')}
          </Button>
        ) : null}
      </form>
    </Dialog>
  );
}
