import { Check, Copy } from 'lucide-react';
import { useRef, useState } from 'react';
import { useT } from '~/i18n';
import { Button } from './Button';
import styles from './CopyField.module.css';
import { copyText } from './copy';
import { toast } from './Toast';

/** A text to take along, with its button. */
export function CopyField({ label, text }: { label: string; text: string }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  const [done, setDone] = useState(false);
  const copy = async () => {
    if (await copyText(text)) {
      setDone(true);
      setTimeout(() => setDone(false), 2_000);
    } else {
      input.current?.select();
      toast(t('common:copy_failed'));
    }
  };
  return (
    <div className={styles.field}>
      <input
        ref={input}
        className={styles.text}
        readOnly
        aria-label={label}
        value={text}
        onFocus={(e) => e.target.select()}
      />
      <Button onPress={copy}>
        {done ? <Check aria-hidden size={16} /> : <Copy aria-hidden size={16} />}
        {done ? t('common:copied') : t('common:copy')}
      </Button>
    </div>
  );
}
