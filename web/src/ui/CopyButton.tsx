import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { useT } from '~/i18n';
import { Button } from './Button';
import { copyText } from './copy';
import { toast } from './Toast';

/** Takes a text along that stands beside it already. */
export function CopyButton({ text }: { text: string }) {
  const t = useT();
  const [done, setDone] = useState(false);
  const copy = async () => {
    if (!(await copyText(text))) return toast(t('common:copy_failed'));
    setDone(true);
    setTimeout(() => setDone(false), 2_000);
  };
  return (
    <Button wide onPress={copy}>
      {done ? <Check aria-hidden size={16} /> : <Copy aria-hidden size={16} />}
      {t(done ? 'common:copied' : 'common:copy')}
    </Button>
  );
}
