import { Undo2 } from 'lucide-react';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { now } from '~/core/clock';
import { useErrorText, useT } from '~/i18n';
import { toast } from '~/ui/Toast';
import { chat } from '../store';
import { focusComposer } from '../ui';
import { undo } from '../undo';
import styles from './UndoPill.module.css';

/** For a few seconds after sending: back into the composer, without a trace for anybody. */
export function UndoPill() {
  const t = useT();
  const errorText = useErrorText();
  const sent = useStore(chat, (s) => s.sent);
  useEffect(() => {
    if (!sent) return;
    // While the server does not have it, it can always be taken back.
    const left = sent.seq === undefined ? undefined : Math.max(0, sent.until - now());
    if (left === undefined) return;
    const timer = setTimeout(() => chat.setState({ sent: undefined }), left);
    return () => clearTimeout(timer);
  }, [sent]);
  if (!sent) return null;
  const press = () => {
    undo().catch((error) => toast(errorText(asAppError(error))));
    focusComposer();
  };
  return (
    <button type="button" className={styles.undo} data-testid="undo" onClick={press}>
      <Undo2 aria-hidden size={16} />
      {t('chat:composer.undo')}
    </button>
  );
}
