import type { Listing } from '@roost-ai/sdk';
import { keepPreviousData, type QueryKey, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

const PAGE = 25;

interface ListingOptions<T> {
  key: QueryKey;
  list: (signal: AbortSignal) => Listing<T>;
  /** How soon it is loaded again: while something in it goes on, say. */
  refetchMs?: (items: T[]) => number;
}

/** A list from its beginning: as much of it as was asked for by "Show more", loaded anew as a whole. */
export function useListing<T>({ key, list, refetchMs }: ListingOptions<T>) {
  const [count, setCount] = useState(PAGE);
  const query = useQuery({
    queryKey: [...key, count],
    // One more than is shown says whether there are more.
    queryFn: ({ signal }) => list(signal).toArray(count + 1),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => refetchMs?.(state.data ?? []) ?? false,
  });
  const found = query.data;
  return {
    items: found?.slice(0, count),
    hasMore: (found?.length ?? 0) > count,
    isLoadingMore: query.isPlaceholderData,
    showMore: () => setCount(count + PAGE),
    error: query.error,
    reload: () => void query.refetch(),
  };
}
