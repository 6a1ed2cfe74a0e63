import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Button } from '../components/button.js';
import { VirtualRows } from '../components/virtual-rows.js';
import { ChatMessage } from './chat-message.js';
import type { ChatRow } from './chat-rows.js';
import type { History } from './use-history.js';

/** Of a message that was not measured yet. */
const ESTIMATED_PX = 96;
/** So near to the top older messages are asked for, and so near to the end new ones are followed. */
const NEAR_PX = 120;

interface MessageListProps {
  rows: ChatRow[];
  history: History;
  agentName: string;
  /** Id of a message that is looked for, and shown. */
  wanted: string | undefined;
}

/** Only what is seen is in the page, however long the conversation is; it follows the newest while one is there. */
export function MessageList({ rows, history, agentName, wanted }: MessageListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ESTIMATED_PX,
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: NEAR_PX,
    overscan: 6,
    gap: 20,
    paddingStart: 20,
    paddingEnd: 12,
  });
  const hasRows = rows.length > 0;
  // Until somebody scrolls: what is measured for the first time is seldom as large as it was estimated.
  const isUntouched = useRef(true);
  const totalSize = virtualizer.getTotalSize();
  useLayoutEffect(() => {
    if (hasRows && isUntouched.current) virtualizer.scrollToEnd();
  }, [virtualizer, hasRows, totalSize]);
  const onTouched = () => (isUntouched.current = false);
  const { hasOlder, isLoadingOlder, loadOlder } = history;
  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    setAtEnd(isUntouched.current || virtualizer.isAtEnd());
    if (element.scrollTop < NEAR_PX && hasOlder && !isLoadingOlder) loadOlder();
  };
  // A first page that does not fill the screen cannot be scrolled.
  useEffect(() => {
    const element = scroller.current;
    if (element && hasOlder && !isLoadingOlder && element.scrollHeight <= element.clientHeight) loadOlder();
  });
  const wantedAt = wanted === undefined ? -1 : rows.findIndex((row) => isOf(row, wanted));
  const shown = useRef<string>(undefined);
  useEffect(() => {
    if (wanted === undefined || shown.current === wanted) return;
    if (wantedAt >= 0) {
      shown.current = wanted;
      isUntouched.current = false;
      virtualizer.scrollToIndex(wantedAt, { align: 'center' });
    } else if (hasOlder && !isLoadingOlder) loadOlder();
  }, [virtualizer, wanted, wantedAt, hasOlder, isLoadingOlder, loadOlder]);
  return (
    <div className="relative min-h-0 grow">
      <div
        ref={scroller}
        onScroll={onScroll}
        onWheel={onTouched}
        onTouchMove={onTouched}
        onPointerDown={onTouched}
        onKeyDown={onTouched}
        tabIndex={0}
        role="log"
        aria-label="Conversation"
        className="h-full overflow-y-auto"
      >
        <VirtualRows virtualizer={virtualizer} rows={rows} className="px-4 sm:px-6">
          {(row, index) => (
            <div
              className={`mx-auto max-w-3xl 3xl:max-w-4xl ${index === wantedAt ? 'rounded-xl outline-2 outline-offset-8 outline-accent' : ''}`}
            >
              <ChatMessage row={row} agentName={agentName} />
            </div>
          )}
        </VirtualRows>
      </div>
      {isLoadingOlder && (
        <p role="status" className="absolute inset-x-0 top-2 text-center text-xs text-faint">
          Loading older messages
        </p>
      )}
      {!isAtEnd && (
        <Button
          icon="arrow-down"
          onClick={() => virtualizer.scrollToEnd()}
          className="absolute bottom-3 left-1/2 -translate-x-1/2 shadow-raised"
        >
          Newest
        </Button>
      )}
    </div>
  );
}

const isOf = (row: ChatRow, messageId: string): boolean =>
  row.kind === 'user' ? row.message.id === messageId : row.reply?.id === messageId;
