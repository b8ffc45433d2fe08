export interface ConversationSearch {
  /** The message to show. */
  at?: number;
  pane?: 'details';
}

export function conversationSearch(search: Record<string, unknown>): ConversationSearch {
  const at = Number(search.at);
  return {
    ...(Number.isInteger(at) && at > 0 ? { at } : {}),
    ...(search.pane === 'details' ? { pane: 'details' as const } : {}),
  };
}

// Not lazy: these are what the client opens with.
export { Chat, NothingOpen } from './screens/Chat';
export { ConversationScreen } from './screens/Conversation';
