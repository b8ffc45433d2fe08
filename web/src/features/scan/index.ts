export { destinations } from './destinations';
