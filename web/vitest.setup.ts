import 'fake-indexeddb/auto';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, vi } from 'vitest';
import { settings } from './src/core/settings';
import { allTexts, startI18n } from './src/i18n';

// Waiting ends when what is waited for is there; this only says when to give up.
configure({ asyncUtilTimeout: 20_000 });

settings.setState({ language: 'zh-CN' });
await startI18n();
await allTexts();

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});
