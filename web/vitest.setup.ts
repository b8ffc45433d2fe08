import 'fake-indexeddb/auto';
import { cleanup } from '@testing-library/react';
import { afterEach, vi } from 'vitest';
import { settings } from './src/core/settings';
import { allTexts, startI18n } from './src/i18n';

settings.setState({ language: 'zh-CN' });
await startI18n();
await allTexts();

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
