import { AppError } from './client';

/** Options every query shares: one quick retry where it may help, never on a refusal. */
export const retry = (count: number, error: unknown): boolean =>
  count < 1 && error instanceof AppError && error.transient;
