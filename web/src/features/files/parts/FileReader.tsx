import { lazy, Suspense } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import type { FileBlock } from '~/api/types';
import { readerOf } from '~/core/files/kinds';
import { useT } from '~/i18n';
import over from '~/ui/files/Over.module.css';
import { useBack } from '../useBack';
import { Frame, Opening } from './Frame';

const PdfView = lazy(() => import('../pdf/PdfView').then((m) => ({ default: m.PdfView })));
const TextView = lazy(() => import('../text/TextView').then((m) => ({ default: m.TextView })));

/** A file over everything else, drawn by us: nothing of it runs. Closed by Escape and by the back key. */
export function FileReader({ file, onClose }: { file: FileBlock; onClose: () => void }) {
  const t = useT();
  const close = useBack(onClose);
  const View = readerOf(file) === 'pdf' ? PdfView : TextView;
  return (
    <ModalOverlay className={over.overlay ?? ''} isOpen onOpenChange={(open) => (open ? undefined : close())}>
      <Modal className={over.full ?? ''}>
        <Dialog className={over.full ?? ''} aria-label={file.name || t('files:read.label')}>
          <Suspense
            fallback={
              <Frame file={file} onClose={close}>
                <Opening />
              </Frame>
            }
          >
            <View file={file} onClose={close} />
          </Suspense>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
