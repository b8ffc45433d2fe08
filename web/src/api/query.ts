import { AppError } from './client';

/** Options every query shares: one quick retry where it may help, never on a refusal. */
export const retry = (count: number, error: unknown): boolean =>
  count < 1 && error instanceof AppError && error.transient;

/** Keys of answers that events of one's own stream make stale. */
export const NOTICES = ['notices'] as const;
export const FRIENDS = ['friends'] as const;
export const REST_HOURS = ['me', 'rest-hours'] as const;
export const LADDER = ['me', 'ladder'] as const;
export const OWN_REQUESTS = ['join-requests'] as const;

/** All that waits for the person signed in. */
export const WAITING = ['waiting'] as const;
