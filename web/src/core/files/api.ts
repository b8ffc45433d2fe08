import { ask, client } from '~/api/client';
import type { FileSpace } from '~/api/types';

export const pictureUrl = (file: string, side: 320 | 1600) =>
  `/api/v1/files/${encodeURIComponent(file)}/picture/${side}`;

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
