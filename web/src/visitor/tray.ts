/** What goes along with the next message. The composer shows it; what fills it is fetched for files alone (`files/`). */
import { createStore } from 'zustand/vanilla';
import type { FileBlock, ImageBlock } from '~/api/types';
import type { Attached, Chip, TrayHome } from '~/core/files/tray';

type Refusal = Parameters<TrayHome['refused']>;

export interface GuestTray {
  /** There already, and part of the message. */
  ready: readonly Attached[];
  /** On their way. */
  chips: readonly Chip[];
  /** Photographs that are being made smaller before they leave. */
  preparing: number;
  /** Not taken: why, and the limit in bytes or as a count. */
  refused: readonly { name: string; why: Refusal[2]; limit: number }[];
  /** Names of those that may tell where they were made. */
  traced: readonly string[];
  /** The message goes once all of them are there. */
  armed: boolean;
  /** It cannot go before something is done about a file. */
  stuck: boolean;
}

export const NOTHING: GuestTray = {
  ready: [],
  chips: [],
  preparing: 0,
  refused: [],
  traced: [],
  armed: false,
  stuck: false,
};

/** Whether something of the next message is still on its way. */
export const isComing = ({ chips, preparing }: GuestTray): boolean => chips.length > 0 || preparing > 0;

export const tray = createStore<GuestTray>(() => NOTHING);

export const isAttached = (b: { type: string }): b is ImageBlock | FileBlock => b.type === 'image' || b.type === 'file';
