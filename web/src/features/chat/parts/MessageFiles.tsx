import type { ImageBlock } from '~/api/types';
import { type Attached, AttachedBlocks } from '~/features/files';
import { chat } from '../store';
import { chatUi } from '../ui';

const isImage = (b: { type: string }): b is ImageBlock => b.type === 'image';

/** Every picture of the conversation that is held here, oldest first. */
function picturesOf(conversation: string): ImageBlock[] {
  const segments = chat.getState().timelines[conversation]?.segments ?? [];
  return segments
    .flatMap((s) => s.messages)
    .flatMap((m) => (m.body?.kind === 'blocks' && !m.undone ? m.body.blocks.filter(isImage) : []));
}

/** Pictures and files of one message; a picture opens large, among all others of the conversation. */
export function MessageFiles({ files, conversation }: { files: readonly Attached[]; conversation: string }) {
  const open = ({ file }: ImageBlock) => {
    const all = picturesOf(conversation);
    // One from a forwarded record stands in no message here.
    const pictures = all.some((p) => p.file === file) ? all : files.filter(isImage);
    chatUi.setState({ viewing: { pictures, file } });
  };
  return <AttachedBlocks blocks={files} onOpen={open} onRead={(reading) => chatUi.setState({ reading })} />;
}
