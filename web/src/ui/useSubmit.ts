import { useRef, useState } from 'react';
import { type AppError, asAppError } from '~/api/client';
import { useErrorText } from '~/i18n';

/** One form under way at a time; what the server refuses is shown at its field, or above the button. */
export function useSubmit<A extends unknown[]>(work: (...args: A) => Promise<unknown>) {
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<AppError>();
  const busy = useRef(false);
  const text = useErrorText();
  const submit = async (...args: A): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    setPending(true);
    setError(undefined);
    try {
      await work(...args);
    } catch (e) {
      setError(asAppError(e));
    } finally {
      busy.current = false;
      setPending(false);
    }
  };
  const shown = error ? text(error) : undefined;
  return {
    submit,
    pending,
    error,
    /** The error if it is about this field. */
    at: (field: string) => (error?.field === field ? shown : undefined),
    /** The error if it is about none of these fields. */
    general: (...fields: string[]) => (error && !fields.includes(error.field ?? '') ? shown : undefined),
  };
}
