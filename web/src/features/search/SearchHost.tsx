import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { allTexts } from '~/i18n';
import { searching } from './open';

const Palette = lazy(async () => {
  const [module] = await Promise.all([import('./parts/Palette'), allTexts()]);
  return { default: module.Palette };
});

/** The search, over whatever is open; its code comes with the first use. */
export function SearchHost() {
  const open = useStore(searching, (s) => s.open);
  return open ? (
    <Suspense>
      <Palette />
    </Suspense>
  ) : null;
}
