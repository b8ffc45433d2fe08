/** The room pictures and files take, known before they are read: nothing below them moves when they come. */
import type { FileBlock, ImageBlock } from '~/api/types';

const WIDE = 280;
const HIGH = 320;
const SMALL = 72;
const TILE = 104;
const GAP = 4;
export const FILE_HIGH = 56;

export interface Room {
  width: number;
  height: number;
}

/** One picture as large as it may be; several as a grid of squares. In CSS pixels; narrower where the screen is. */
export function pictureRoom(pictures: readonly ImageBlock[]): Room & { columns: number } {
  const [one] = pictures;
  if (one && pictures.length === 1) {
    const w = one.width || WIDE;
    const h = one.height || WIDE;
    const scale = Math.min(1, WIDE / w, HIGH / h);
    return { width: Math.max(SMALL, w * scale), height: Math.max(SMALL, h * scale), columns: 1 };
  }
  const columns = pictures.length === 2 || pictures.length === 4 ? 2 : 3;
  const span = (n: number) => n * TILE + (n - 1) * GAP;
  return { width: span(columns), height: span(Math.ceil(pictures.length / columns)), columns };
}

/** All that is attached to one message. */
export function roomOf(blocks: readonly (ImageBlock | FileBlock)[]): Room {
  const pictures = blocks.filter((b): b is ImageBlock => b.type === 'image');
  const room = pictureRoom(pictures);
  const files = blocks.length - pictures.length;
  const height = (pictures.length > 0 ? room.height + GAP : 0) + files * (FILE_HIGH + GAP);
  return { width: files > 0 ? WIDE : room.width, height };
}
