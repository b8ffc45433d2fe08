/** What the rest of the client may use of chat. */
export { createGroup, sentMessage, startDirect } from './actions';
export { startCache, stopCache } from './cache';
export { forgetDrafts } from './drafts';
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
export { resumePoint } from './resume';
export { chat, dropTimeline, forgetChat, putOutbox, setMembers } from './store';
