import { useVirtualizer } from '@tanstack/react-virtual';
import { type DragEvent, type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from 'react';
import { messageOf } from '../components/feedback.js';
import { VirtualRows } from '../components/virtual-rows.js';
import { type EntryAction, indent, TreeLine } from './tree-line.js';
import { downloadAddress } from './save-download.js';
import type { TreeStore } from './tree-store.js';
import { parentOf, type TreeRow } from './tree-state.js';

const ROW_PX = 34;

interface FileTreeProps {
  agentId: string;
  rows: TreeRow[];
  store: TreeStore;
  /** The file that is shown. */
  current: string | undefined;
  onOpen: (path: string) => void;
  onAction: (action: EntryAction, path: string, isDirectory: boolean) => void;
  onDrop: (data: DataTransfer, directory: string) => void;
}

/**
 * The workspace as a tree: arrows (or j and k) go through it, right and left open and close directories, Enter opens a
 * file. Only what is seen is in the page. What is dropped on a directory is uploaded into it; what is dragged out of the
 * browser is saved, a directory as an archive (Chromium's DownloadURL; others save nothing).
 */
export function FileTree({ agentId, rows, store, current, onOpen, onAction, onDrop }: FileTreeProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string | undefined>(current);
  const [target, setTarget] = useState<string>();
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 12,
  });
  // Not once for each step of scrolling: there may be very many.
  const at = useMemo(() => rows.findIndex(({ key }) => key === active), [rows, active]);
  const toggle = (row: TreeRow) => {
    if (row.kind !== 'entry') return;
    setActive(row.key);
    if (row.entry.type !== 'directory') onOpen(row.path);
    else if (row.isOpen) store.close(row.path);
    else store.open(row.path);
  };
  const go = (index: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (!row) return;
    setActive(row.key);
    virtualizer.scrollToIndex(rows.indexOf(row));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Keys of a menu, which is in the page elsewhere, arrive here as well.
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
    const handled = handleKey(event.key, rows, at, { go, toggle, store, onAction });
    if (handled) event.preventDefault();
  };
  const rowOf = (target: EventTarget) => {
    const line = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null;
    return rows[Number(line?.dataset['index'] ?? -1)];
  };
  const onClick = ({ target }: MouseEvent) => {
    const row = rowOf(target);
    if (row) toggle(row);
  };
  const onDragStart = ({ target, dataTransfer }: DragEvent) => {
    const row = rowOf(target);
    if (row?.kind !== 'entry') return;
    const isDirectory = row.entry.type === 'directory';
    const name = `${row.entry.name}${isDirectory ? '.zip' : ''}`;
    dataTransfer.effectAllowed = 'copy';
    // Its parts are kept apart by colons.
    const file = `application/octet-stream:${name.replaceAll(':', '_')}:${downloadAddress(agentId, row.path, isDirectory)}`;
    dataTransfer.setData('DownloadURL', file);
  };
  const onDragOver = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    const element = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-directory]') : null;
    setTarget(element?.dataset['directory'] ?? '');
  };
  return (
    <div
      ref={scroller}
      role="tree"
      aria-label="Files"
      tabIndex={0}
      aria-activedescendant={at >= 0 ? idOf(at) : undefined}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onDragStart={onDragStart}
      onDragOver={onDragOver}
      onDragLeave={() => setTarget(undefined)}
      onDrop={(event) => {
        event.preventDefault();
        onDrop(event.dataTransfer, target ?? '');
        setTarget(undefined);
      }}
      className={`min-h-0 grow overflow-y-auto -outline-offset-2 ${target === '' ? 'bg-accent-soft' : ''}`}
    >
      <VirtualRows virtualizer={virtualizer} rows={rows} heightPx={ROW_PX}>
        {(row, index) =>
          row.kind === 'entry' ? (
            <TreeLine
              id={idOf(index)}
              row={row}
              isActive={index === at}
              isCurrent={row.path === current}
              isTarget={target !== undefined && target !== '' && row.path === target}
              onAction={index === at ? onAction : undefined}
            />
          ) : (
            <Other id={idOf(index)} row={row} store={store} />
          )
        }
      </VirtualRows>
    </div>
  );
}

const idOf = (index: number) => `file-${index}`;

/** What stands in a directory besides its entries. */
function Other({
  id,
  row,
  store,
}: {
  id: string;
  row: TreeRow & { kind: 'loading' | 'empty' | 'error' | 'more' };
  store: TreeStore;
}) {
  // Whoever sees that there is more wants it.
  useEffect(() => {
    if (row.kind === 'more') store.more(row.path);
  });
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected="false"
      className="flex h-full items-center gap-2 pr-3 text-sm text-faint"
      style={{ paddingLeft: indent(row.depth) + 28 }}
    >
      {row.kind === 'loading' && (
        <span className="skeleton h-4 w-32">
          <span className="sr-only">Loading</span>
        </span>
      )}
      {row.kind === 'more' && 'Loading more'}
      {row.kind === 'empty' && 'Nothing in it'}
      {row.kind === 'error' && (
        <>
          <span className="min-w-0 truncate text-bad" title={messageOf(row.error)}>
            {messageOf(row.error)}
          </span>
          <button type="button" className="shrink-0 text-accent underline" onClick={() => void store.load(row.path)}>
            Try again
          </button>
        </>
      )}
    </div>
  );
}

interface KeyActions {
  go: (index: number) => void;
  toggle: (row: TreeRow) => void;
  store: TreeStore;
  onAction: FileTreeProps['onAction'];
}

/** As in every tree (ARIA APG, Tree View). */
function handleKey(key: string, rows: TreeRow[], at: number, { go, toggle, store, onAction }: KeyActions): boolean {
  const row = rows[at];
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    j: at + 1,
    ArrowUp: at - 1,
    k: at - 1,
    Home: 0,
    End: rows.length - 1,
  };
  const step = steps[key];
  if (step !== undefined) go(step);
  else if (row?.kind !== 'entry') return false;
  else if (key === 'Enter' || key === ' ') toggle(row);
  else if (key === 'ArrowRight' && row.entry.type === 'directory') row.isOpen ? go(at + 1) : store.open(row.path);
  else if (key === 'ArrowLeft' && row.isOpen) store.close(row.path);
  else if (key === 'ArrowLeft') go(rows.findIndex((each) => each.key === parentOf(row.path)));
  else if (key === 'F2') onAction('rename', row.path, row.entry.type === 'directory');
  else if (key === 'Delete') onAction('delete', row.path, row.entry.type === 'directory');
  else return false;
  return true;
}
