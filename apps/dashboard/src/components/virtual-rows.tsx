import type { Virtualizer } from '@tanstack/react-virtual';
import type { ReactNode } from 'react';

interface VirtualRowsProps<Row> {
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  rows: Row[];
  /** Of all of them; without it each is measured. */
  heightPx?: number;
  className?: string;
  children: (row: Row, index: number) => ReactNode;
}

/** In a scroller as high as all rows: those in sight, each where it belongs. */
export function VirtualRows<Row>({ virtualizer, rows, heightPx, className = '', children }: VirtualRowsProps<Row>) {
  return (
    <div role="none" className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
      {virtualizer.getVirtualItems().map(({ index, key, start }) => {
        const row = rows[index];
        return (
          row !== undefined && (
            <div
              key={key}
              ref={heightPx === undefined ? virtualizer.measureElement : undefined}
              role="none"
              data-index={index}
              className={`absolute top-0 left-0 w-full ${className}`}
              style={{ transform: `translateY(${start}px)`, height: heightPx }}
            >
              {children(row, index)}
            </div>
          )
        );
      })}
    </div>
  );
}
