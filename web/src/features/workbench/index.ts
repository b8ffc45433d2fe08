/** What the rest of the client may use of the workbench. */
export { destinations } from './destinations';
