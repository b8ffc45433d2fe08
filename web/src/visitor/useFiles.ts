/**
 * All that has to do with files, in a chunk of its own with its own texts: most people who open a link write a few words.
 * It is fetched once the conversation stands, so that it is there when somebody reaches for it.
 */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { fileTexts } from './i18n';

type Files = typeof import('./files');

const AGAIN_MS = 4_000;

const chunk = createStore<{ files: Files | undefined }>(() => ({ files: undefined }));
let coming = false;

async function fetchFiles(): Promise<void> {
  if (coming) return;
  coming = true;
  try {
    const [files] = await Promise.all([import('./files'), fileTexts()]);
    chunk.setState({ files });
  } catch {
    // No network, most likely. What was said stands meanwhile, and so does the room of what was sent.
    setTimeout(() => {
      coming = false;
      void fetchFiles();
    }, AGAIN_MS);
  }
}

export function useFiles(): Files | undefined {
  const files = useStore(chunk, (s) => s.files);
  useEffect(() => {
    if (!files) void fetchFiles();
  }, [files]);
  return files;
}

export const filesHeld = (): Files | undefined => chunk.getState().files;
