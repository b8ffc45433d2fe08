import { Smile } from 'lucide-react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { EmojiPicker } from './EmojiPicker';
import styles from './MessageTools.module.css';

/** Opens the picker over the composer at once: it is only drawn after a first press. */
export function EmojiButton({
  open,
  onOpen,
  onPick,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  onPick: (emoji: string) => void;
}) {
  const t = useT();
  return (
    <DialogTrigger isOpen={open} onOpenChange={onOpen}>
      <IconButton label={t('chat:composer.emoji')}>
        <Smile aria-hidden />
      </IconButton>
      <Popover className={styles.popover ?? ''} placement="top end">
        <Dialog aria-label={t('chat:composer.emoji')} className={styles.dialog ?? ''}>
          <EmojiPicker onPick={onPick} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
