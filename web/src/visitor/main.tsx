/** The visitor page: somebody without an account, one conversation, nothing to install. Shares `core` with the app. */
import '../core/older';
import '../app/tokens.css';
import '../app/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startTheme } from '../app/theme';
import { startTexts } from './i18n';
import { Visitor } from './Visitor';

async function start(): Promise<void> {
  startTheme();
  await startTexts();
  const element = document.getElementById('root');
  if (!element) return;
  createRoot(element).render(
    <StrictMode>
      <Visitor />
    </StrictMode>,
  );
}

void start();
