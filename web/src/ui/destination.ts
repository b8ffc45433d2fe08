/** Where one can go: features declare destinations, the shell puts them into slots. */
import type { LinkProps } from '@tanstack/react-router';
import type { LucideIcon } from 'lucide-react';
import { createContext, useContext } from 'react';
import type { Org } from '~/api/types';
import type { useT } from '~/i18n';

export type T = ReturnType<typeof useT>;

/** Who looks, as far as it decides what there is for them. */
export interface Viewer {
  orgs: readonly Org[];
}

export interface Destination {
  /** Stable: pins and roles name it. */
  id: string;
  link: Pick<LinkProps, 'to' | 'params'>;
  icon: LucideIcon;
  label(t: T): string;
  /** What it is for, in a line, where there is room. */
  text?(t: T): string;
  /** The organisation whose management it belongs to. */
  org?: Org;
  /** How much waits there for this person: a red number. */
  useCount?(): number;
}

/** What a feature has for somebody; nothing where it has nothing for them. */
export type Destinations = (viewer: Viewer) => Destination[];

/** Something to do from anywhere. */
export interface Command {
  id: string;
  icon: LucideIcon;
  label(t: T): string;
  keys?: string;
  run(): void;
}

export interface Places {
  /** In a slot of the rail and the tabs, in order. */
  slots: readonly Destination[];
  /** Pinned by the person, below the slots. */
  pinned: readonly Destination[];
  all: readonly Destination[];
  commands: readonly Command[];
}

export const PlacesContext = createContext<Places>({ slots: [], pinned: [], all: [], commands: [] });

export const usePlaces = (): Places => useContext(PlacesContext);
