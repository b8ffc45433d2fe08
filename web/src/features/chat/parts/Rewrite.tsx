import { useEffect, useState } from 'react';
import { asAppError } from '~/api/client';
import type { Message } from '~/api/types';
import { now } from '~/core/clock';
import { useErrorText, useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { toast } from '~/ui/Toast';
import { REWRITE_MS } from '../actions';
import { chat } from '../store';
import { focusComposer } from '../ui';
import { giveBack, readRestored } from '../undo';

/** The words of one's own recalled message back into the composer, while the server still has them. */
export function Rewrite({ conversation, message }: { conversation: string; message: Message }) {
  const t = useT();
  const errorText = useErrorText();
  const left = (message.recalled_at ?? 0) + REWRITE_MS - now();
  const [over, setOver] = useState(left <= 0);
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), Math.max(0, left));
    return () => clearTimeout(timer);
  }, [left]);
  // Only a server that keeps the words for a while can give them to a device that does not have them.
  const { recalled, conversations } = chat.getState();
  const here = recalled[`${conversation}:${message.seq}`] !== undefined;
  if (over || !(here || conversations[conversation]?.undo_ms !== undefined)) return null;
  const rewrite = async () => {
    try {
      giveBack(conversation, await readRestored(conversation, message.seq));
      focusComposer();
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  return (
    <Button kind="quiet" onPress={() => void rewrite()}>
      {t('chat:message.rewrite')}
    </Button>
  );
}
