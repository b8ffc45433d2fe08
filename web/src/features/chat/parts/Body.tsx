import { Fragment, lazy, Suspense } from 'react';
import type { FileBlock, ImageBlock, Body as MessageBody } from '~/api/types';
import { myId } from '~/core/store/session';
import { useT } from '~/i18n';
import { cx } from '~/ui/cx';
import { FILE_HIGH, pictureRoom, roomOf } from '~/ui/files/room';
import { linked } from '~/ui/linked';
import { Marks } from '~/ui/Marks';
import { useMarks } from '../marks';
import { useName } from '../names';
import { ALL, isAttached, isMention, isText } from '../text';
import styles from './Body.module.css';

const MessageFiles = lazy(() => import('./MessageFiles').then((m) => ({ default: m.MessageFiles })));

/** Blocks as React nodes, never as HTML. Kinds this client does not know are left out. */
export function Body({ body, conversation }: { body: MessageBody; conversation: string }) {
  if (body.kind !== 'blocks') return null;
  const files = body.blocks.filter(isAttached);
  return (
    <>
      {files.length < body.blocks.length ? (
        <span className={styles.text} dir="auto">
          {body.blocks.map((block, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: blocks of one body have no other name and do not move
            <Fragment key={i}>
              {isText(block) ? (
                linked(block.text)
              ) : isMention(block) ? (
                <Mention user={block.user} conversation={conversation} />
              ) : null}
            </Fragment>
          ))}
        </span>
      ) : null}
      {files.length > 0 ? (
        <Suspense fallback={<Room of={files} />}>
          <MessageFiles files={files} conversation={conversation} />
        </Suspense>
      ) : null}
    </>
  );
}

/** As large as what comes, on a narrow screen too: nothing below it moves then. */
function Room({ of: files }: { of: readonly (ImageBlock | FileBlock)[] }) {
  const pictures = files.filter((f): f is ImageBlock => f.type === 'image');
  const { width, height } = pictureRoom(pictures);
  return (
    <span className={styles.room} style={{ width: roomOf(files).width }}>
      {pictures.length > 0 ? <span style={{ width, aspectRatio: `${width} / ${height}` }} /> : null}
      {files.slice(pictures.length).map((f) => (
        <span key={f.file} style={{ height: FILE_HIGH }} />
      ))}
    </span>
  );
}

function Mention({ user, conversation }: { user: string; conversation: string }) {
  const t = useT();
  const name = useName(user === ALL ? undefined : user);
  const marks = useMarks(conversation, user);
  const me = user === ALL || user === myId();
  return (
    <span className={cx(styles.mention, me && styles.me)}>
      @{user === ALL ? t('chat:mention.all') : name}
      <Marks of={marks} />
    </span>
  );
}
