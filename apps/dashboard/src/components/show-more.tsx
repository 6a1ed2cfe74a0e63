import { useEffect, useRef } from 'react';
import { Button } from './button.js';
import { ErrorNote } from './feedback.js';

interface ShowMoreProps {
  list: {
    items: unknown[] | undefined;
    error: unknown;
    hasMore: boolean;
    isLoadingMore: boolean;
    showMore: () => void;
  };
}

/** Below a list: asks for its next page when it comes into view, or is pressed. */
export function ShowMore({ list: { items, error, hasMore, isLoadingMore, showMore } }: ShowMoreProps) {
  const place = useRef<HTMLDivElement>(null);
  const isAwaited = hasMore && !isLoadingMore && !error;
  useEffect(() => {
    const element = place.current;
    if (!element || !isAwaited) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && showMore(), {
      rootMargin: '200px',
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [isAwaited, showMore]);
  if (!hasMore || !items) return null;
  return (
    <div ref={place} className="flex justify-center py-4">
      {error ? (
        <ErrorNote error={error} title="The rest cannot be loaded" onRetry={showMore} />
      ) : (
        <Button isBusy={isLoadingMore} onClick={showMore}>
          Show more
        </Button>
      )}
    </div>
  );
}
