export { pictureUrl, removeFile } from '~/core/files/api';
export { bytesText } from '~/core/files/bytes';
export { chooseFiles } from '~/core/files/choose';
export { type Attached, type Chip, MOST, Trays } from '~/core/files/tray';
export { FileIcon } from '~/ui/files/FileIcon';
export { FileName } from '~/ui/files/FileName';
export { AttachedBlocks } from './parts/AttachedBlocks';
export { FileReader } from './parts/FileReader';
export { Viewer } from './parts/Viewer';
