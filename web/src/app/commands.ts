/** What can be done from anywhere, for the search to offer. */
import { useNavigate } from '@tanstack/react-router';
import { CircleHelp, LogIn, Moon, Plus, Sun, UserPlus, ZoomIn, ZoomOut } from 'lucide-react';
import { useMemo } from 'react';
import { useStore } from 'zustand';
import { FONT_SIZES, type Settings, settings } from '~/core/settings';
import { directory } from '~/features/directory';
import type { Command } from '~/ui/destination';
import { keysOf } from './shortcuts';

const set = (change: Partial<Settings>) => settings.setState(change);

/** One step of the type size. */
export function stepFont(by: 1 | -1): void {
  const at = FONT_SIZES.indexOf(settings.getState().fontSize);
  const next = FONT_SIZES[at + by];
  if (next !== undefined) set({ fontSize: next });
}

export function useCommands(help: () => void): readonly Command[] {
  const navigate = useNavigate();
  const orgs = useStore(directory, (s) => s.orgs);
  return useMemo(() => {
    const managed = Object.values(orgs).filter((o) => o.role === 'owner' || o.role === 'admin');
    const invite = managed.map(
      (org): Command => ({
        id: `invite:${org.id}`,
        icon: UserPlus,
        label: (t) => t('common:commands.invite', { org: org.name }),
        run: () => void navigate({ to: '/invite/$org', params: { org: org.id } }),
      }),
    );
    return [
      ...invite,
      { id: 'join', icon: LogIn, label: (t) => t('common:commands.join'), run: () => void navigate({ to: '/join' }) },
      {
        id: 'create',
        icon: Plus,
        label: (t) => t('common:commands.create'),
        run: () => void navigate({ to: '/create' }),
      },
      { id: 'dark', icon: Moon, label: (t) => t('common:commands.dark'), run: () => set({ theme: 'dark' }) },
      { id: 'light', icon: Sun, label: (t) => t('common:commands.light'), run: () => set({ theme: 'light' }) },
      { id: 'larger', icon: ZoomIn, label: (t) => t('common:commands.larger'), run: () => stepFont(1) },
      { id: 'smaller', icon: ZoomOut, label: (t) => t('common:commands.smaller'), run: () => stepFont(-1) },
      { id: 'help', icon: CircleHelp, label: (t) => t('common:commands.help'), keys: keysOf('help'), run: help },
    ];
  }, [orgs, navigate, help]);
}
