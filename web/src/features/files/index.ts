export { pictureUrl, removeFile } from './api';
export { bytesText } from './bytes';
export { chooseFiles } from './choose';
export { AttachedBlocks } from './parts/AttachedBlocks';
export { FileIcon } from './parts/FileIcon';
export { FileName } from './parts/FileName';
export { FileReader } from './parts/FileReader';
export { Viewer } from './parts/Viewer';
export { type Attached, type Chip, MOST, Trays } from './tray';
