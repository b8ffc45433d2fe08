import { useNavigate } from '@tanstack/react-router';
import { AtSign, ClipboardCheck } from 'lucide-react';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import type { Conversation, WaitingItem } from '~/api/types';
import { isolated } from '~/core/names';
import { wantPeople } from '~/core/store/people';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { useLater } from '~/ui/useLater';
import { WaitingRow } from '~/ui/WaitingRow';
import { sayReceived } from '../actions';
import { useName, useTitle } from '../names';
import { chat } from '../store';

/** What waits in conversations: messages that ask for a 收到, and those that call the person by name. */
export function ChatWaiting({ item, laterKey }: { item: WaitingItem; laterKey: string }) {
  const t = useT();
  const navigate = useNavigate();
  const doLater = useLater();
  const { conversation, seq, who } = item;
  const c = useStore(chat, (s) => (conversation ? s.conversations[conversation] : undefined));
  const sender = useName(who ?? undefined);
  useEffect(() => wantPeople(who ? [who] : []), [who]);
  if (!conversation || seq == null) return null;
  const open = () => void navigate({ to: '/chat/$conversation', params: { conversation }, search: { at: seq } });
  const ack = item.kind === 'ack';
  const receive = () => doLater(laterKey, t('chat:waiting.received'), () => sayReceived(conversation, seq, true));
  const words = t(ack ? 'chat:waiting.ack' : 'chat:waiting.mention', { name: isolated(sender), text: item.title });
  return (
    <WaitingRow item={item} icon={ack ? ClipboardCheck : AtSign} words={words} place={c && <Title of={c} />}>
      <Button onPress={open}>{t('chat:waiting.open')}</Button>
      {ack ? (
        <Button kind="primary" onPress={receive}>
          {t('chat:ack.key')}
        </Button>
      ) : null}
    </WaitingRow>
  );
}

function Title({ of }: { of: Conversation }) {
  return useTitle(of);
}
