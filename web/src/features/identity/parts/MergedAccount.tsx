import { useState } from 'react';
import { AppError } from '~/api/client';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { useSubmit } from '~/ui/useSubmit';
import { partAccount, type Second } from '../api';
import { SecondStep, secondMethods } from './SecondStep';

/** The password was right, and another account stands for this one. Whoever did not want that takes it back here. */
export function MergedAccount({ login, password, onBack }: { login: string; password: string; onBack: () => void }) {
  const t = useT();
  const [step, setStep] = useState<'ask' | 'second' | 'done'>('ask');
  const [methods, setMethods] = useState<string[]>();
  const part = async (second: Second) => {
    try {
      await partAccount({ login, password, ...second });
      setStep('done');
    } catch (error) {
      if (error instanceof AppError && error.code === 'second_factor_required') {
        setMethods(secondMethods(error));
        return setStep('second');
      }
      throw error;
    }
  };
  const { submit, pending, general } = useSubmit(() => part({}));
  if (step === 'second') return <SecondStep methods={methods} onGive={part} onBack={() => setStep('ask')} />;
  return (
    <div className={form.form}>
      <p className={form.notice} role="status">
        {step === 'done' ? t('identity:merged.parted') : t('identity:merged.text')}
      </p>
      <FormError>{general()}</FormError>
      <Button kind="primary" wide onPress={onBack}>
        {step === 'done' ? t('identity:merged.sign_in') : t('identity:merged.other')}
      </Button>
      {step === 'done' ? null : (
        <Button wide isPending={pending} onPress={() => void submit()}>
          {t('identity:merged.part')}
        </Button>
      )}
    </div>
  );
}
