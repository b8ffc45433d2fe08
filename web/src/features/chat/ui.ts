/** What is open or under the hand in a conversation: shared by its timeline, its composer and its dialogs. */
import { createStore } from 'zustand/vanilla';
import type { FileBlock, ImageBlock } from '~/api/types';
import type { Chip } from '~/features/files';
import type { Draft } from './store';

/** Files on their way to the next message of a conversation. */
export interface Tray {
  chips: readonly Chip[];
  /** Files that were not taken, in words. */
  refused: readonly string[];
  /** Files of the next message that tell more than they should, in words. */
  traced: readonly string[];
  /** The message goes as soon as all of them are there. */
  armed: boolean;
  /** Photographs that are being made smaller, or changed for their originals, before they leave. */
  preparing: number;
  /** What the smaller ones were made from: by preview while on their way, by file when they are there. */
  originals: Readonly<Record<string, File>>;
  /** The last ones came from the camera: another may follow. */
  camera: boolean;
}

export interface ChatUi {
  /** The message whose tools show. */
  active: string | undefined;
  /** The message whose actions stand in a sheet. */
  sheet: number | undefined;
  receipts: number | undefined;
  /** The message whose 收到 are shown by name. */
  acks: number | undefined;
  /** Messages on their way to other conversations. */
  forwarding: { conversation: string; seqs: readonly number[] } | undefined;
  editing: { conversation: string; seq: number; draft: Draft } | undefined;
  /** Messages being chosen, to do one thing with all of them. */
  selecting: { conversation: string; seqs: readonly number[] } | undefined;
  /** A message to go to; a new object each time. */
  jump: { seq: number } | undefined;
  /** Whether a message is looked for; undefined until that was first asked for. */
  finding: boolean | undefined;
  /** Grows when the composer should take the focus. */
  focus: number;
  /** Pictures shown large, and the one it began with. */
  viewing: { pictures: readonly ImageBlock[]; file: string } | undefined;
  /** A file that is read here. */
  reading: FileBlock | undefined;
  trays: Readonly<Record<string, Tray>>;
}

/** As many as one forwarding carries. */
export const MAX_SELECTED = 100;

export const chatUi = createStore<ChatUi>(() => ({
  active: undefined,
  sheet: undefined,
  receipts: undefined,
  acks: undefined,
  forwarding: undefined,
  editing: undefined,
  selecting: undefined,
  jump: undefined,
  finding: undefined,
  focus: 0,
  viewing: undefined,
  reading: undefined,
  trays: {},
}));

const EMPTY_TRAY: Tray = {
  chips: [],
  refused: [],
  traced: [],
  armed: false,
  preparing: 0,
  originals: {},
  camera: false,
};

/** Whether something of the next message is still on its way. */
export const isComing = (tray: Tray | undefined): boolean =>
  tray !== undefined && (tray.chips.length > 0 || tray.preparing > 0);

export function putTray(conversation: string, change: Partial<Tray>): void {
  const { trays } = chatUi.getState();
  const tray = { ...EMPTY_TRAY, ...trays[conversation], ...change };
  chatUi.setState({ trays: { ...trays, [conversation]: tray } });
}

export function focusComposer(): void {
  chatUi.setState({ focus: chatUi.getState().focus + 1 });
}

/** Looks for a message of the conversation that is open. */
export function openFind(): void {
  chatUi.setState({ finding: true });
}

export function closeAll(): void {
  chatUi.setState({
    active: undefined,
    sheet: undefined,
    receipts: undefined,
    acks: undefined,
    forwarding: undefined,
    editing: undefined,
    selecting: undefined,
    jump: undefined,
    finding: undefined,
    viewing: undefined,
    reading: undefined,
  });
}

export function startSelecting(conversation: string, seq: number): void {
  chatUi.setState({ selecting: { conversation, seqs: [seq] }, active: undefined, editing: undefined });
}

/** Chooses a message or lets it go again; the limit is what one forwarding carries. */
export function flipSelected(seq: number): void {
  const { selecting } = chatUi.getState();
  if (!selecting) return;
  const seqs = selecting.seqs.includes(seq)
    ? selecting.seqs.filter((s) => s !== seq)
    : [...selecting.seqs, seq].slice(0, MAX_SELECTED);
  chatUi.setState({ selecting: { ...selecting, seqs } });
}

/** Chooses more messages at once, as many as there is room for. */
export function addSelected(more: readonly number[]): void {
  const { selecting } = chatUi.getState();
  if (!selecting) return;
  const news = more.filter((seq) => !selecting.seqs.includes(seq));
  chatUi.setState({ selecting: { ...selecting, seqs: [...selecting.seqs, ...news].slice(0, MAX_SELECTED) } });
}

export function stopSelecting(): void {
  chatUi.setState({ selecting: undefined });
}
