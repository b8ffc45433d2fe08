/** All that has to do with files in the composer, in one chunk. */
export { takeFiles } from '../attach';
export { AttachButton } from './AttachButton';
export { AttachTray } from './AttachTray';
