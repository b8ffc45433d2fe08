import { lazyRouteComponent } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { allTexts } from '~/i18n';
import { isNotLoaded, NotLoaded } from './notLoaded';

/** A screen with a chunk of its own, drawn once its texts are there too. */
export function screen<K extends string>(load: () => Promise<Record<K, ComponentType>>, name: K) {
  return lazyRouteComponent(async () => {
    try {
      const [module] = await Promise.all([load(), allTexts()]);
      return module;
    } catch (error) {
      // The router would reload the page at once, which without a network loses it; the app knows better when to.
      throw isNotLoaded(error) ? new NotLoaded(error) : error;
    }
  }, name);
}
