/** What there is for the person signed in: the destinations of every feature, put into slots. */
import { useMemo } from 'react';
import { useStore } from 'zustand';
import { settings } from '~/core/settings';
import { destinations as ofChat } from '~/features/chat';
import { directory, destinations as ofDirectory } from '~/features/directory';
import { destinations as ofIdentity } from '~/features/identity';
import { destinations as ofScan } from '~/features/scan';
import { destinations as ofSettings } from '~/features/settings';
import { destinations as ofWaiting } from '~/features/waiting';
import { destinations as ofWorkbench } from '~/features/workbench';
import type { Places } from '~/ui/destination';
import { useCommands } from './commands';
import { arrange, roleOf } from './slots';

const FEATURES = [ofChat, ofWaiting, ofDirectory, ofWorkbench, ofScan, ofIdentity, ofSettings];

export function usePlacesHere(help: () => void): Places {
  const orgs = useStore(directory, (s) => s.orgs);
  const pins = useStore(settings, (s) => s.pins);
  const commands = useCommands(help);
  return useMemo(() => {
    const viewer = { orgs: Object.values(orgs) };
    const all = FEATURES.flatMap((destinations) => destinations(viewer));
    return { ...arrange(roleOf(viewer), all, pins), all, commands };
  }, [orgs, pins, commands]);
}
