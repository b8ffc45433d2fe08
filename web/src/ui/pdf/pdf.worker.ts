/** What reads PDF files, in a thread of its own. It runs nothing that a file brings along. */
import './older';
import 'pdfjs-dist/legacy/build/pdf.worker.mjs';
