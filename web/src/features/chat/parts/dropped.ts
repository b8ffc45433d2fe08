/** Files from the clipboard or from under the pointer; what becomes of them is fetched then. */
export function takeDropped(conversation: string, data: DataTransfer): boolean {
  const files = Array.from(data.files);
  if (files.length > 0) void import('./attaching').then((m) => m.takeFiles(conversation, files));
  return files.length > 0;
}

/** A cell of a table or a paragraph comes as words and as a picture of them: the words are meant. */
export function takePasted(conversation: string, data: DataTransfer): boolean {
  const words = data.types.includes('text/plain') && data.types.includes('text/html');
  return !words && takeDropped(conversation, data);
}
