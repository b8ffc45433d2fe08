import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { useT } from '../i18n';
import type { Kept } from '../kept';
import { talk } from '../talk';
import { goOn, take } from './attach';
import { FileSheet } from './FileSheet';
import styles from './files.module.css';
import { opened } from './opened';
import { Viewer } from './Viewer';

/** What stands over the conversation, and files that come by the pointer or the clipboard. */
export function Around({ kept, attach }: { kept: Kept; attach: boolean }) {
  const t = useT();
  const { pictures, file } = useStore(opened);
  const leads = useStore(talk, (s) => s.leads);
  const over = useDropped(kept, attach);
  // One page of a browser goes on with what is kept; two would send the same bytes.
  useEffect(() => {
    if (leads) void goOn(kept).catch(() => undefined);
  }, [leads, kept]);
  useEffect(() => () => opened.setState({ pictures: undefined, file: undefined }), []);
  return (
    <>
      {over ? (
        <div className={styles.drop} aria-hidden>
          <p>{t('files:drop')}</p>
        </div>
      ) : null}
      {pictures ? (
        <Viewer
          pictures={pictures.all}
          first={pictures.first}
          onClose={() => opened.setState({ pictures: undefined })}
        />
      ) : null}
      {file ? <FileSheet file={file} onClose={() => opened.setState({ file: undefined })} /> : null}
    </>
  );
}

const hasFiles = (data: DataTransfer | null): data is DataTransfer => data?.types.includes('Files') ?? false;

/** Whether files hang over the page; they are taken wherever they fall. */
function useDropped(kept: Kept, attach: boolean): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!attach) return;
    const hang = (e: DragEvent) => {
      if (!hasFiles(e.dataTransfer)) return;
      e.preventDefault();
      setOver(true);
    };
    // Within the page it goes from one element to the next; outside of it there is none.
    const left = (e: DragEvent) => (e.relatedTarget === null ? setOver(false) : undefined);
    const fall = (e: DragEvent) => {
      setOver(false);
      if (!hasFiles(e.dataTransfer)) return;
      e.preventDefault();
      void take(kept, Array.from(e.dataTransfer.files));
    };
    const paste = (e: ClipboardEvent) => {
      const data = e.clipboardData;
      // A cell of a table comes as words and as a picture of them: the words are meant.
      if (!data || data.files.length === 0 || (data.types.includes('text/plain') && data.types.includes('text/html')))
        return;
      e.preventDefault();
      void take(kept, Array.from(data.files));
    };
    document.addEventListener('dragover', hang);
    document.addEventListener('dragleave', left);
    document.addEventListener('drop', fall);
    document.addEventListener('paste', paste);
    return () => {
      document.removeEventListener('dragover', hang);
      document.removeEventListener('dragleave', left);
      document.removeEventListener('drop', fall);
      document.removeEventListener('paste', paste);
    };
  }, [kept, attach]);
  return over;
}
