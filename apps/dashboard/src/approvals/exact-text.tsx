import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';
import { bytesText } from '../components/amounts.js';
import { CopyButton } from '../components/code.js';
import { VirtualRows } from '../components/virtual-rows.js';
import { visibleText } from '../components/visible-text.js';
import { exactParts, type ExactRow, exactRows } from './exact-lines.js';

const ROW_PX = 22;

interface ExactTextProps {
  /** What it is called, by whoever wrote it. */
  name?: string;
  /** What it is a part of: two of the same name may be on a page. */
  within?: string;
  label: string;
  text: string;
}

/**
 * A text of which nothing is hidden, whatever its length: lines by number, marks for what is not seen, a note in place of
 * what would push the rest away. Only rows in sight are in the page.
 */
export function ExactText({ name, within, label, text }: ExactTextProps) {
  const rows = useMemo(() => exactRows(text), [text]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const lines = text.split('\n').length;
  const about = [within, name === undefined ? label : visibleText(name)].filter(Boolean).join(': ');
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-sunken">
      <div className="flex items-center justify-between gap-2 border-b border-line pl-3 text-xs text-soft">
        <span className="min-w-0 wrap-anywhere">
          {name !== undefined && (
            <span className="pr-2 font-mono font-medium text-ink">
              <Exactly text={name} />
            </span>
          )}
          {label} · {lines === 1 ? '1 line' : `${lines.toLocaleString('en')} lines`},{' '}
          {bytesText(new TextEncoder().encode(text).length)}
        </span>
        <CopyButton text={text} label={`Copy: ${about}`} />
      </div>
      <div ref={scroller} tabIndex={0} role="region" aria-label={about} className="max-h-80 overflow-y-auto py-1.5">
        <VirtualRows
          virtualizer={virtualizer}
          rows={rows}
          className="grid grid-cols-[3.5rem_minmax(0,1fr)] font-mono text-xs leading-[1.4rem]"
        >
          {(row) => <Row row={row} />}
        </VirtualRows>
      </div>
    </div>
  );
}

function Row({ row }: { row: ExactRow }) {
  if (row.kind === 'blank')
    return (
      <>
        <span />
        <span className="pr-3">
          <Mark>{`lines ${row.from} to ${row.to} are empty`}</Mark>
        </span>
      </>
    );
  return (
    <>
      <span aria-hidden className="pr-3 text-right text-faint select-none">
        {row.isRest ? '…' : row.number}
      </span>
      {/* What is not left to right is shown in the order in which it is carried out. */}
      <span dir="ltr" className="overflow-hidden pr-3 wrap-anywhere whitespace-pre-wrap [unicode-bidi:bidi-override]">
        <Exactly text={row.text} />
      </span>
    </>
  );
}

const Exactly = ({ text }: { text: string }) =>
  exactParts(text).map((part, index) =>
    'mark' in part ? <Mark key={index}>{part.mark}</Mark> : <span key={index}>{part.text}</span>,
  );

/** Drawn as no text is, so that nobody can write one. */
const Mark = ({ children }: { children: string }) => (
  <mark className="mx-px rounded border border-warn bg-warn-soft px-1 text-[0.7rem] text-warn">{children}</mark>
);
