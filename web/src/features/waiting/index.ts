/** What the rest of the client may use of the list of all that waits. */
export { destinations } from './destinations';
export { useWaitingCount } from './useWaiting';
