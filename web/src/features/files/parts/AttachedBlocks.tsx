import { Download } from 'lucide-react';
import { useState } from 'react';
import { asAppError } from '~/api/client';
import type { FileBlock, ImageBlock } from '~/api/types';
import { saveFile } from '~/core/files/api';
import { bytesText } from '~/core/files/bytes';
import { readerOf } from '~/core/files/kinds';
import type { Attached } from '~/core/files/tray';
import { useErrorText, useLocale, useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import styles from '~/ui/files/Blocks.module.css';
import { FileIcon } from '~/ui/files/FileIcon';
import { FileName } from '~/ui/files/FileName';
import { pictureRoom, roomOf } from '~/ui/files/room';
import { toast } from '~/ui/Toast';
import { Picture } from './Picture';

/** Pictures and files of a message, in the room that was kept for them. */
export function AttachedBlocks({
  blocks,
  onOpen,
  onRead,
}: {
  blocks: readonly Attached[];
  /** Somebody wants to see a picture large. */
  onOpen: (picture: ImageBlock) => void;
  /** Somebody wants to read a file that can be read here. */
  onRead: (file: FileBlock) => void;
}) {
  const pictures = blocks.filter((b): b is ImageBlock => b.type === 'image');
  const files = blocks.filter((b): b is FileBlock => b.type === 'file');
  const { width, height, columns } = pictureRoom(pictures);
  return (
    <span className={styles.blocks} style={{ width: roomOf(blocks).width }}>
      {pictures.length === 0 ? null : (
        <span
          className={styles.pictures}
          data-testid="pictures"
          style={{ width, aspectRatio: `${width} / ${height}`, gridTemplateColumns: `repeat(${columns}, 1fr)` }}
        >
          {pictures.map((p) => (
            <Picture key={p.file} picture={p} wide={width / columns} square={pictures.length > 1} onOpen={onOpen} />
          ))}
        </span>
      )}
      {files.map((f) => (
        <FileRow key={f.file} file={f} onRead={onRead} />
      ))}
    </span>
  );
}

function FileRow({ file, onRead }: { file: FileBlock; onRead: (file: FileBlock) => void }) {
  const t = useT();
  const locale = useLocale();
  const errorText = useErrorText();
  const [busy, setBusy] = useState(false);
  const name = file.name ?? '';
  const about = (
    <>
      <span className={styles.icon}>
        <FileIcon mime={file.mime ?? ''} name={name} />
      </span>
      <span className={styles.words}>
        <FileName name={name} />
        <span className={styles.size}>{bytesText(locale, file.size ?? 0)}</span>
      </span>
    </>
  );
  const save = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await saveFile(file.file, name);
    } catch (error) {
      const e = asAppError(error);
      toast(e.code === 'not_found' ? t('files:gone') : errorText(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className={styles.file} data-testid="file">
      {readerOf(file) ? (
        <button
          type="button"
          className={styles.open}
          aria-label={t('files:read.open_name', { name })}
          onClick={() => onRead(file)}
        >
          {about}
        </button>
      ) : (
        about
      )}
      <IconButton label={t('files:download_name', { name })} onPress={() => void save()}>
        <Download aria-hidden />
      </IconButton>
    </span>
  );
}
