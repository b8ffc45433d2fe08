import { ask, client } from '~/api/client';
import type { FileSpace } from '~/api/types';

export const pictureUrl = (file: string, side: 320 | 1600) =>
  `/api/v1/files/${encodeURIComponent(file)}/picture/${side}`;

/** May no longer be seen, is lost on the server, or did not come this time. */
export type PictureFault = 'gone' | 'lost' | 'failed';

export const PICTURE_WORDS = { gone: 'files:picture.gone', lost: 'files:picture.lost' } as const;

/** Why a picture was not shown, which an `img` does not tell. */
export async function pictureFault(file: string): Promise<PictureFault> {
  // Either size may have been asked for, and be lost without the other.
  const asked = ([320, 1600] as const).map((side) => fetch(pictureUrl(file, side)).catch(() => undefined));
  const told = (await Promise.all(asked)).map((answer) => answer?.status);
  if (told.includes(410)) return 'lost';
  return told.includes(404) || told.includes(403) ? 'gone' : 'failed';
}

/** An address of the original, for ten minutes; `inline` says whether it may be shown in place. */
export function readLink(file: string, download = false) {
  return ask(client.POST('/files/{id}/link', { params: { path: { id: file } }, body: { download } }));
}

export function readSpace(org?: string): Promise<FileSpace> {
  return ask(client.GET('/file-space', { params: { query: org ? { org } : {} } }));
}

export async function removeFile(file: string): Promise<void> {
  await ask(client.DELETE('/files/{id}', { params: { path: { id: file } } }));
}

/** Saves the original as the browser saves things; the page stays where it is. */
export async function saveFile(file: string, name: string): Promise<void> {
  const { url } = await readLink(file, true);
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  document.body.append(a);
  a.click();
  a.remove();
}
