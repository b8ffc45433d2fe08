import { createStore } from 'zustand/vanilla';
import type { ConnectionState } from '../socket';

export const connection = createStore<{ state: ConnectionState }>(() => ({ state: 'connecting' }));
