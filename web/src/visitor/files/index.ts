/** What the page of a guest knows of files, in one chunk. */
export { Around } from './Around';
export { letGoOfAll, sent } from './attach';
export { Choices } from './Choices';
export { MessageFiles } from './MessageFiles';
export { Tray } from './Tray';
