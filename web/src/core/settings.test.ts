import { afterEach, expect, test } from 'vitest';
import { setCare, settings } from './settings';

afterEach(() => {
  setCare(false);
  settings.setState({ fontSize: 14 });
});

test('the care view brings large type and gives the old size back', () => {
  settings.setState({ fontSize: 16 });
  setCare(true);
  expect(settings.getState()).toMatchObject({ care: true, fontSize: 22 });
  setCare(true);
  setCare(false);
  expect(settings.getState()).toMatchObject({ care: false, fontSize: 16 });
});

test('who reads larger type already keeps it', () => {
  settings.setState({ fontSize: 32 });
  setCare(true);
  expect(settings.getState().fontSize).toBe(32);
});

test('what was set is kept on the device', () => {
  settings.setState({ density: 'compact', pins: ['friends'] });
  const kept = JSON.parse(localStorage.getItem('magpie:settings') ?? '{}');
  expect(kept).toMatchObject({ density: 'compact', pins: ['friends'] });
  settings.setState({ density: 'comfortable', pins: [] });
});
