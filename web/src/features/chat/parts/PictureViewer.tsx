import { useStore } from 'zustand';
import { Viewer } from '~/features/files';
import { chatUi } from '../ui';

export function PictureViewer() {
  const viewing = useStore(chatUi, (s) => s.viewing);
  if (!viewing) return null;
  return (
    <Viewer pictures={viewing.pictures} first={viewing.file} onClose={() => chatUi.setState({ viewing: undefined })} />
  );
}
