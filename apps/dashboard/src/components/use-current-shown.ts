import { useRouterState } from '@tanstack/react-router';
import { type RefObject, useEffect, useRef } from 'react';

/** For a row of tabs that scrolls where it has no room: the one of this screen is seen. */
export function useCurrentShown(): RefObject<HTMLElement | null> {
  const tabs = useRef<HTMLElement>(null);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    const element = tabs.current;
    if (!element) return;
    const show = () =>
      element.querySelector('[aria-current=page]')?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
    // Also told at once, for the size that it has.
    const observer = new ResizeObserver(show);
    observer.observe(element);
    return () => observer.disconnect();
  }, [pathname]);
  return tabs;
}
