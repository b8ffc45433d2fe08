import { useStore } from 'zustand';
import { FileReader } from '~/features/files';
import { chatUi } from '../ui';

export function ReadingFile() {
  const file = useStore(chatUi, (s) => s.reading);
  if (!file) return null;
  return <FileReader file={file} onClose={() => chatUi.setState({ reading: undefined })} />;
}
