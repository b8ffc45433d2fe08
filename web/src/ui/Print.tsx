import { type ReactNode, useEffect } from 'react';
import { createPortal } from 'react-dom';

/**
 * What comes out of the printer while it is there, in place of the page. Black on white in both themes; sizes are in
 * millimetres for A4.
 */
export function Print({ children }: { children: ReactNode }) {
  useEffect(() => {
    document.documentElement.dataset.print = '';
    return () => {
      delete document.documentElement.dataset.print;
    };
  }, []);
  return createPortal(<div className="print-only">{children}</div>, document.body);
}
