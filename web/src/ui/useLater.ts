import { asAppError } from '~/api/client';
import { later, takeBack } from '~/core/later';
import { useErrorText, useT } from '~/i18n';
import { toast } from './Toast';

/** Does something a moment later and says so, with the way to take it back. A refusal is told, and the thing is there again. */
export function useLater() {
  const t = useT();
  const errorText = useErrorText();
  return (key: string, said: string, act: (leaving: boolean) => Promise<unknown>) => {
    later(key, async (leaving) => {
      try {
        await act(leaving);
      } catch (error) {
        toast(errorText(asAppError(error)));
      }
    });
    toast(said, { label: t('common:undo'), run: () => takeBack(key) });
  };
}
