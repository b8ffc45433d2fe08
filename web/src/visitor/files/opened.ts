/** What stands over the conversation. */
import { createStore } from 'zustand/vanilla';
import type { FileBlock, ImageBlock } from '~/api/types';
import { talk } from '../talk';

export interface Opened {
  pictures: { all: readonly ImageBlock[]; first: string } | undefined;
  file: FileBlock | undefined;
}

export const opened = createStore<Opened>(() => ({ pictures: undefined, file: undefined }));

const isImage = (b: { type: string }): b is ImageBlock => b.type === 'image';

/** A picture among all others of the conversation, oldest first. */
export function openPicture(picture: ImageBlock, beside: readonly ImageBlock[]): void {
  const all = talk
    .getState()
    .messages.flatMap((m) => (m.body?.kind === 'blocks' && !m.undone ? m.body.blocks.filter(isImage) : []));
  // One that is still on its way stands in no message yet.
  const pictures = all.some((p) => p.file === picture.file) ? all : beside;
  opened.setState({ pictures: { all: pictures, first: picture.file } });
}
