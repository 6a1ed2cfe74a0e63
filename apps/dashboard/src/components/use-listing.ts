import type { Listing } from '@roost-ai/sdk';
import { keepPreviousData, type QueryKey, useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

interface ListingOptions<T> {
  key: QueryKey;
  list: (signal: AbortSignal) => Listing<T>;
  /** How soon it is loaded again: while something in it goes on, say. */
  refetchMs?: (items: T[]) => number | false;
}

/** A list from its beginning, page by page as far as was asked for; loaded anew as a whole. */
export function useListing<T>({ key, list, refetchMs }: ListingOptions<T>) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => list(signal).page(pageParam),
    initialPageParam: undefined as unknown,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => refetchMs?.(state.data?.pages.flatMap(({ items }) => items) ?? []) ?? false,
  });
  const pages = query.data?.pages;
  return {
    items: useMemo(() => pages?.flatMap(({ items }) => items), [pages]),
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    showMore: () => void query.fetchNextPage({ cancelRefetch: false }),
    error: query.error,
    reload: () => void query.refetch(),
  };
}
