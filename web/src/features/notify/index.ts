/** What the rest of the client may use of notify. */
export { Preview as NoticePreview } from './parts/Preview';
