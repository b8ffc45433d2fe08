/// <reference types="vite/client" />

/** Where the files stand that pdf.js reads while it runs (`tools/pdf/assets.ts`). */
declare const __PDF_BASE__: string;
