import type { Named } from '~/core/files/kinds';

/** What people call a kind of file: its ending, in capitals; by its bytes where it has none. */
export function kindOf({ name = '', mime = '' }: Named): string {
  const [, ending] = /\.([a-z0-9]{1,6})$/i.exec(name) ?? [];
  if (ending) return ending.toUpperCase();
  const [, plain] = /^[a-z]+\/([a-z0-9]{2,5})$/.exec(mime) ?? [];
  return plain ? plain.toUpperCase() : '';
}
