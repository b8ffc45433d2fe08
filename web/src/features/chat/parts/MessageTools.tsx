import { MoreHorizontal, Reply, SmilePlus } from 'lucide-react';
import { useState } from 'react';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';
import type { Message } from '~/api/types';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { cx } from '~/ui/cx';
import { Menu } from '~/ui/Menu';
import styles from './MessageTools.module.css';
import { useReact } from './Reactions';
import { ReactPicker } from './ReactPicker';
import { startReply } from './reply';
import { useMessageActions } from './useMessageActions';

/** The tools over a message under the pointer or with the focus. They float: the text never moves. */
export function MessageTools({
  conversation,
  message,
  mine,
  onOpen,
}: {
  conversation: string;
  message: Message;
  mine: boolean;
  onOpen: (open: boolean) => void;
}) {
  const t = useT();
  const actions = useMessageActions(conversation, message);
  const flip = useReact(conversation, message);
  const [reacting, setReacting] = useState(false);
  const openReact = (open: boolean) => {
    setReacting(open);
    onOpen(open);
  };
  return (
    <div className={cx(styles.tools, mine && styles.mine)} role="toolbar" aria-label={t('chat:action.tools')}>
      <DialogTrigger isOpen={reacting} onOpenChange={openReact}>
        <IconButton small label={t('chat:action.react')}>
          <SmilePlus aria-hidden />
        </IconButton>
        <Popover className={styles.popover ?? ''} placement="top">
          <Dialog aria-label={t('chat:action.react')} className={styles.dialog ?? ''}>
            <ReactPicker
              onPick={(emoji) => {
                openReact(false);
                flip(emoji);
              }}
            />
          </Dialog>
        </Popover>
      </DialogTrigger>
      {actions.some((a) => a.id === 'reply') ? (
        <IconButton small label={t('chat:action.reply')} onPress={() => startReply(conversation, message.seq)}>
          <Reply aria-hidden />
        </IconButton>
      ) : null}
      <Menu label={t('chat:action.more')} actions={actions.filter((a) => a.id !== 'reply')} onOpenChange={onOpen}>
        <IconButton small label={t('chat:action.more')}>
          <MoreHorizontal aria-hidden />
        </IconButton>
      </Menu>
    </div>
  );
}
