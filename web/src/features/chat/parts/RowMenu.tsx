import { useNavigate, useParams } from '@tanstack/react-router';
import { Bell, BellOff, Mail, MailOpen, Pin, PinOff } from 'lucide-react';
import { useRef } from 'react';
import { MenuItem as AriaItem, Menu as AriaMenu } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import type { Preferences } from '~/api/types';
import { useErrorText, useT } from '~/i18n';
import type { MenuAction } from '~/ui/Menu';
import menu from '~/ui/Menu.module.css';
import { toast } from '~/ui/Toast';
import { useLayout } from '~/ui/useLayout';
import { markRead, setPreferences } from '../actions';
import type { HeldConversation } from '../events';
import { useTitle } from '../names';
import { chat } from '../store';
import { ActionSheet } from './ActionSheet';
import styles from './RowMenu.module.css';

/** Where in the list a menu was asked for. */
export interface RowSpot {
  id: string;
  x: number;
  y: number;
}

/** What can be done with a conversation from the list: a menu at the pointer, a sheet under the thumb. */
export function RowMenu({ spot, onClose }: { spot: RowSpot; onClose: () => void }) {
  const c = useStore(chat, (s) => s.conversations[spot.id]);
  return c ? <Opened conversation={c} spot={spot} onClose={onClose} /> : null;
}

function Opened({
  conversation: c,
  spot,
  onClose,
}: {
  conversation: HeldConversation;
  spot: RowSpot;
  onClose: () => void;
}) {
  const title = useTitle(c);
  const phone = useLayout() === 'phone';
  const at = useRef<HTMLSpanElement>(null);
  const actions = useRowActions(c);
  if (phone) return <ActionSheet title={title} actions={actions} onClose={onClose} />;
  return (
    <>
      <span ref={at} className={styles.at} style={{ left: spot.x, top: spot.y }} />
      <Popover
        className={menu.popover ?? ''}
        placement="bottom start"
        triggerRef={at}
        isOpen
        onOpenChange={(open) => (open ? undefined : onClose())}
      >
        <AriaMenu aria-label={title} className={menu.menu ?? ''} autoFocus="first" onClose={onClose}>
          {actions.map((a) => (
            <AriaItem key={a.id} id={a.id} textValue={a.label} className={menu.item ?? ''} onAction={a.run}>
              {a.icon}
              {a.label}
            </AriaItem>
          ))}
        </AriaMenu>
      </Popover>
    </>
  );
}

export function useRowActions(c: HeldConversation): MenuAction[] {
  const t = useT();
  const errorText = useErrorText();
  const navigate = useNavigate();
  const { conversation: current } = useParams({ strict: false });
  const { pinned, muted, marked_unread } = c.preferences;
  const unread = c.unread > 0 || marked_unread;
  const prefer = (change: Partial<Preferences>) =>
    setPreferences(c.id, change).catch((e) => toast(errorText(asAppError(e))));
  /** What is open would be read again at once: it is closed. */
  const leave = () => (c.id === current ? navigate({ to: '/chat' }) : Promise.resolve());
  return [
    {
      id: 'pin',
      label: pinned ? t('chat:row.unpin') : t('chat:details.pin'),
      icon: pinned ? <PinOff aria-hidden /> : <Pin aria-hidden />,
      run: () => void prefer({ pinned: !pinned }),
    },
    unread
      ? { id: 'read', label: t('chat:row.read'), icon: <MailOpen aria-hidden />, run: () => markRead(c.id, c.head.seq) }
      : {
          id: 'unread',
          label: t('chat:row.unread'),
          icon: <Mail aria-hidden />,
          run: () => void leave().then(() => prefer({ marked_unread: true })),
        },
    {
      id: 'mute',
      label: muted ? t('chat:row.unmute') : t('chat:details.mute'),
      icon: muted ? <Bell aria-hidden /> : <BellOff aria-hidden />,
      run: () => void prefer({ muted: !muted }),
    },
  ];
}
