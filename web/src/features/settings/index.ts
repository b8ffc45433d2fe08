/** What the rest of the client may use of the settings. */
export { destinations } from './destinations';
