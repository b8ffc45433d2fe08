/** What the rest of the client may use of chat. */
import { lazy } from 'react';

export { createGroup, sentMessage, startDirect } from './actions';
export { searchMessages } from './api';
export { makeRoom, startCache, stopCache } from './cache';
export { destinations, useWaitingConversations } from './destinations';
export { forgetDrafts, restoreDrafts, unsaidDrafts } from './drafts';
export type { HeldConversation } from './events';
export {
  catchUpTimelines,
  conversationHandler,
  delivered,
  ephemeral,
  personEvent,
  putMoves,
  readConversations,
  setServices,
} from './live';
export { useTitles } from './names';
export { ConversationAvatar } from './parts/ConversationAvatar';
export { resumePoint } from './resume';
export { chat, type Draft, dropTimeline, forgetChat, putOutbox, setMembers } from './store';
export { openFind } from './ui';

// Nobody needs these before the list of what waits is open; whoever draws them puts a Suspense around.
export const ChatWaiting = lazy(() => import('./parts/WaitingItems').then((m) => ({ default: m.ChatWaiting })));
