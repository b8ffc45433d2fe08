/** What the rest of the client may use of the search. */
export { closeSearch, openSearch } from './open';
export { SearchHost } from './SearchHost';
