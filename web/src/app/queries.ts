import { QueryClient } from '@tanstack/react-query';
import { retry } from '~/api/query';

export const queries = new QueryClient({
  defaultOptions: { queries: { retry, staleTime: 30_000, refetchOnWindowFocus: false } },
});
