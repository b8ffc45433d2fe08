/** Who draws what: each module its own kinds. A newer server's are shown with their title alone. */
import type { ComponentType } from 'react';
import type { WaitingItem } from '~/api/types';
import { ChatWaiting } from '~/features/chat';
import { DirectoryWaiting } from '~/features/directory';

export interface KindProps {
  item: WaitingItem;
  laterKey: string;
}

export const KINDS: Readonly<Record<string, ComponentType<KindProps>>> = {
  join_request: DirectoryWaiting,
  recovery: DirectoryWaiting,
  ack: ChatWaiting,
  mention: ChatWaiting,
};
