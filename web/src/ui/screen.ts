import { lazyRouteComponent } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { allTexts } from '~/i18n';

/** A screen with a chunk of its own, drawn once its texts are there too. */
export function screen<K extends string>(load: () => Promise<Record<K, ComponentType>>, name: K) {
  return lazyRouteComponent(async () => {
    const [module] = await Promise.all([load(), allTexts()]);
    return module;
  }, name);
}
