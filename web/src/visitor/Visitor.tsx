import { useCallback, useEffect, useState } from 'react';
import { type AppError, asAppError } from '~/api/client';
import type { GuestLook } from '~/api/types';
import * as api from './api';
import { useErrorText, useT } from './i18n';
import { codeOf, forget, isSamePage, type Kept, readKept } from './kept';
import { Door } from './parts/Door';
import { Languages } from './parts/Languages';
import { Leave } from './parts/Leave';
import { TalkScreen } from './parts/TalkScreen';
import { WhoAgain } from './parts/WhoAgain';
import { dropAll, leave } from './talk';
import styles from './visitor.module.css';

type Step =
  | { at: 'loading' }
  | { at: 'who'; kept: Kept }
  | { at: 'door'; look: GuestLook; again: boolean; former?: Kept }
  | { at: 'talk'; kept: Kept; remembers: boolean }
  | { at: 'leaving'; kept: Kept; remembers: boolean }
  | { at: 'left' }
  | { at: 'failed'; error: AppError };

const DEAD = new Set(['guest_link_invalid', 'guest_link_used_up']);
const code = codeOf(location.pathname);

/** From a link to a conversation, and back to it the next time. */
export function Visitor() {
  const t = useT();
  const [step, setStep] = useState<Step>(() => {
    const kept = readKept(code);
    if (!kept) return { at: 'loading' };
    return isSamePage() ? { at: 'talk', kept, remembers: true } : { at: 'who', kept };
  });
  const knock = useCallback(async (again = false, former?: Kept) => {
    setStep({ at: 'loading' });
    try {
      setStep({ at: 'door', look: await api.look(code), again, ...(former ? { former } : {}) });
    } catch (error) {
      setStep({ at: 'failed', error: asAppError(error) });
    }
  }, []);
  useEffect(() => {
    if (!readKept(code)) void knock();
  }, [knock]);
  const org = 'look' in step ? step.look.org : 'kept' in step ? step.kept.look.org : undefined;
  useEffect(() => {
    if (org) document.title = t('visitor:title', { org });
  }, [org, t]);

  if (step.at === 'talk') {
    const { user } = step.kept;
    const ended = () => {
      forget(code);
      void dropAll(user);
      void knock(true);
    };
    return (
      <TalkScreen
        code={code}
        kept={step.kept}
        remembers={step.remembers}
        onLeave={() => setStep({ ...step, at: 'leaving' })}
        onEnded={ended}
      />
    );
  }
  if (step.at === 'leaving') {
    const go = async () => {
      await leave(step.kept);
      forget(code);
      setStep({ at: 'left' });
    };
    return <Leave onStay={() => setStep({ ...step, at: 'talk' })} onLeave={go} />;
  }
  return (
    <div className={styles.page}>
      <main className={styles.card}>
        {step.at === 'who' ? (
          <WhoAgain
            kept={step.kept}
            onGoOn={() => setStep({ at: 'talk', kept: step.kept, remembers: true })}
            onOther={() => void knock(false, step.kept)}
          />
        ) : step.at === 'door' ? (
          <Door
            code={code}
            look={step.look}
            again={step.again}
            former={step.former}
            onBack={(kept) => setStep({ at: 'talk', kept, remembers: true })}
            onEntered={(kept, remembers) => setStep({ at: 'talk', kept, remembers })}
          />
        ) : step.at === 'left' ? (
          <>
            <h1 className={styles.title}>{t('visitor:leave.done')}</h1>
            <button type="button" className={styles.plain} onClick={() => void knock()}>
              {t('visitor:leave.again')}
            </button>
          </>
        ) : step.at === 'failed' ? (
          <Failed error={step.error} retry={() => void knock()} />
        ) : (
          <p className={styles.quiet} role="status">
            {t('visitor:state.loading')}
          </p>
        )}
      </main>
      <Languages />
    </div>
  );
}

function Failed({ error, retry }: { error: AppError; retry: () => void }) {
  const t = useT();
  const text = useErrorText();
  const dead = DEAD.has(error.code);
  return (
    <>
      <h1 className={styles.title}>{t(dead ? 'visitor:state.dead' : 'visitor:state.failed')}</h1>
      <p className={styles.quiet} role="alert">
        {error.code === 'guest_link_invalid' ? t('visitor:state.dead_text') : text(error)}
      </p>
      {error.code === 'guest_link_invalid' ? null : (
        <button type="button" className={styles.primary} onClick={retry}>
          {t('visitor:state.retry')}
        </button>
      )}
    </>
  );
}
