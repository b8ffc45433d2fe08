import { useEffect, useState } from 'react';
import type { FileBlock } from '~/api/types';
import { Remote } from '~/core/files/remote';
import { type Asking, type Fault, openPdf, type PDFDocumentProxy } from './engine';

export type DocumentState =
  | { kind: 'opening' }
  | { kind: 'asking'; asking: Asking }
  | { kind: 'open'; document: PDFDocumentProxy }
  | { kind: 'fault'; fault: Fault };

/** Opens a file by its parts, and again with every number of tries. */
export function useDocument({ file, size = 0 }: FileBlock, tries: number) {
  const [state, setState] = useState<DocumentState>({ kind: 'opening' });
  const [away, setAway] = useState(false);
  const [bytes, setBytes] = useState(0);
  const [remote, setRemote] = useState<Remote>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try opens it anew
  useEffect(() => {
    let left = false;
    let open = false;
    const put = (next: DocumentState) => {
      open = next.kind === 'open';
      if (!left) setState(next);
    };
    put({ kind: 'opening' });
    setBytes(0);
    const made = new Remote(file, size, {
      waiting: (on) => (left ? undefined : setAway(on)),
      came: (more) => (left || open ? undefined : setBytes((was) => was + more)),
    });
    setRemote(made);
    const { opened, close } = openPdf(made, {
      ask: ({ wrong, answer }) =>
        put({
          kind: 'asking',
          asking: {
            wrong,
            answer: (password) => {
              put({ kind: 'opening' });
              answer(password);
            },
          },
        }),
      lost: (fault) => put({ kind: 'fault', fault }),
    });
    opened.then(
      (document) => put({ kind: 'open', document }),
      (fault: Fault) => put({ kind: 'fault', fault }),
    );
    return () => {
      left = true;
      close();
    };
  }, [file, size, tries]);
  return { state, away, bytes, nudge: () => remote?.nudge() };
}
