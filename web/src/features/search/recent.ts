/** What was chosen last, while the page is open: nothing of it is kept on the device. */
const MOST = 20;
let chosen: readonly string[] = [];

export const recently = (): readonly string[] => chosen;

export function remember(id: string): void {
  chosen = [id, ...chosen.filter((old) => old !== id)].slice(0, MOST);
}
