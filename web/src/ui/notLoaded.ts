/** A file of the client did not come: no network, or a new build has replaced it. */
export class NotLoaded extends Error {
  constructor(readonly reason: unknown) {
    super('a file of the client did not come');
    this.name = 'NotLoaded';
  }
}

/** Whether the browser says so of an error in its own words. */
export const isNotLoaded = (error: unknown): boolean =>
  error instanceof NotLoaded ||
  (error instanceof TypeError &&
    /dynamically imported module|importing a module script|Importing a module/i.test(error.message)) ||
  (error instanceof Error && /Unable to preload/.test(error.message));
