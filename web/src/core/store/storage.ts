import { createStore } from 'zustand/vanilla';

/** Whether the browser refused to write: what is sent now is kept only while the page is open. */
export const storage = createStore<{ full: boolean }>(() => ({ full: false }));
