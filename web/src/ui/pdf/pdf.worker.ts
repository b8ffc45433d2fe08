/** What reads PDF files, in a thread of its own. It runs nothing that a file brings along. */
import './older';
import 'pdfjs-dist/legacy/build/pdf.worker.mjs';

// Thrown where nobody listens when a file is closed while it is still being opened; nobody waits for it then.
addEventListener('unhandledrejection', (e) => {
  if (e.reason instanceof Error && e.reason.message === 'Worker was terminated') e.preventDefault();
});
