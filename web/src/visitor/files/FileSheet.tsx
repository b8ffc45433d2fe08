import { X } from 'lucide-react';
import { Component, lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { asAppError } from '~/api/client';
import type { FileBlock } from '~/api/types';
import { readLink } from '~/core/files/api';
import { bytesText } from '~/core/files/bytes';
import { readerOf } from '~/core/files/kinds';
import { cx } from '~/ui/cx';
import { FileIcon } from '~/ui/files/FileIcon';
import { FileName } from '~/ui/files/FileName';
import over from '~/ui/files/Over.module.css';
import { useLanguage, useT } from '../i18n';
import styles from './files.module.css';
import { Key } from './Key';
import { kindOf } from './kind';
import { Over } from './Over';
import { Saving } from './Saving';

const Pdf = lazy(() => import('./Pdf'));
const Text = lazy(() => import('./Text'));

/** A file over the conversation: what can be shown of it here, and saving it. */
export function FileSheet({ file, onClose }: { file: FileBlock; onClose: () => void }) {
  const t = useT();
  const language = useLanguage();
  const name = file.name ?? '';
  const about = [kindOf(file), bytesText(language, file.size ?? 0)].filter(Boolean).join(' · ');
  return (
    <Over label={name || t('files:read.label')} onClose={onClose}>
      {(close) => (
        <div className={over.frame} data-testid="reader">
          <header className={cx(over.bar, styles.bar)}>
            <span className={styles.sign}>
              <FileIcon mime={file.mime ?? ''} name={name} />
            </span>
            <span className={styles.about}>
              <FileName name={name} />
              <span className={styles.size}>{about}</span>
            </span>
            <Key first label={t('files:guest.close')} onPress={close}>
              <X aria-hidden />
            </Key>
          </header>
          <div className={styles.body}>
            <Shown file={file}>
              <div className={styles.middle}>
                <FileIcon mime={file.mime ?? ''} name={name} />
                <bdi className={styles.whole}>{name}</bdi>
                <span className={styles.size}>{about}</span>
              </div>
            </Shown>
          </div>
          <footer className={styles.foot}>
            <Saving file={file} shown={isShown(file)} />
          </footer>
        </div>
      )}
    </Over>
  );
}

const isPlayed = ({ mime = '' }: FileBlock): boolean => /^(video|audio)\//.test(mime);

const isShown = (file: FileBlock): boolean => readerOf(file) !== undefined || isPlayed(file);

function Shown({ file, children }: { file: FileBlock; children: ReactNode }) {
  const reader = readerOf(file);
  if (reader) {
    const Read = reader === 'pdf' ? Pdf : Text;
    return (
      <Unloaded instead={children}>
        <Suspense fallback={children}>
          <Read file={file}>{children}</Read>
        </Suspense>
      </Unloaded>
    );
  }
  if (isPlayed(file)) return <Played file={file}>{children}</Played>;
  return children;
}

/** What reads a file did not come: the file can be saved all the same. */
class Unloaded extends Component<{ instead: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override render() {
    return this.state.failed ? this.props.instead : this.props.children;
  }
}

/** Sound and film, where the browser plays them; else what there is to say of any file. */
function Played({ file, children }: { file: FileBlock; children: ReactNode }) {
  const t = useT();
  const [url, setUrl] = useState<string>();
  const [fails, setFails] = useState(false);
  useEffect(() => {
    let left = false;
    readLink(file.file).then(
      (link) => (left ? undefined : link.inline ? setUrl(link.url) : setFails(true)),
      (error) => (left || asAppError(error).status === 0 ? undefined : setFails(true)),
    );
    return () => {
      left = true;
    };
  }, [file]);
  if (fails || !url) return children;
  const Media = file.mime?.startsWith('audio/') ? 'audio' : 'video';
  return (
    <div className={styles.playing}>
      <Media
        src={url}
        controls
        playsInline
        preload="metadata"
        aria-label={file.name || t('files:read.label')}
        onError={() => setFails(true)}
      />
    </div>
  );
}
