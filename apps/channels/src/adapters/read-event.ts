import type { ConnectionEvents } from './channel-adapter.js';

/**
 * What `read` makes of something that a platform sent; undefined, and reported, where it fails. Platforms give an event
 * again until it is taken: one that is not as documented would hold up all behind it.
 */
export function readEvent<T>(
  read: () => T | undefined,
  { onUnreadable }: Pick<ConnectionEvents, 'onUnreadable'>,
): T | undefined {
  try {
    return read();
  } catch (error) {
    onUnreadable?.(error);
    return undefined;
  }
}
