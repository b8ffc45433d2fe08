/** What the rest of the client may use of the first minutes. */
import { lazy } from 'react';

export const Checklist = lazy(() => import('./parts/Checklist').then((m) => ({ default: m.Checklist })));
