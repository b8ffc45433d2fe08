import { createStore } from 'zustand/vanilla';

export const searching = createStore<{ open: boolean }>(() => ({ open: false }));

export function openSearch(): void {
  searching.setState({ open: true });
}

export function closeSearch(): void {
  searching.setState({ open: false });
}
