/** What is open or under the hand in a conversation: shared by its timeline, its composer and its dialogs. */
import { createStore } from 'zustand/vanilla';
import type { Draft } from './store';

export interface ChatUi {
  /** The message whose tools show. */
  active: string | undefined;
  /** The message whose actions stand in a sheet. */
  sheet: number | undefined;
  receipts: number | undefined;
  editing: { conversation: string; seq: number; draft: Draft } | undefined;
  /** Grows when the composer should take the focus. */
  focus: number;
}

export const chatUi = createStore<ChatUi>(() => ({
  active: undefined,
  sheet: undefined,
  receipts: undefined,
  editing: undefined,
  focus: 0,
}));

export function focusComposer(): void {
  chatUi.setState({ focus: chatUi.getState().focus + 1 });
}

export function closeAll(): void {
  chatUi.setState({ active: undefined, sheet: undefined, receipts: undefined, editing: undefined });
}
