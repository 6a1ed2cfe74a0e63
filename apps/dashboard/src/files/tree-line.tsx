import { memo } from 'react';
import { bytesText } from '../components/amounts.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { exactTime } from '../components/time.js';
import { visibleText } from '../components/visible-text.js';
import type { TreeRow } from './tree-state.js';

export type EntryAction = 'download' | 'rename' | 'delete' | 'new-file' | 'new-folder' | 'upload';

interface TreeLineProps {
  id: string;
  row: TreeRow & { kind: 'entry' };
  isActive: boolean;
  isCurrent: boolean;
  /** Something is held over it, to be dropped. */
  isTarget: boolean;
  /** Of the active one alone: only that is made anew with each step of scrolling. */
  onAction: ((action: EntryAction, path: string, isDirectory: boolean) => void) | undefined;
}

/** A file or directory. Its menu is there when it is the active one: thousands of menus would be scrolled, else. */
export const TreeLine = memo(function TreeLine({ id, row, isActive, isCurrent, isTarget, onAction }: TreeLineProps) {
  const { entry, depth, isOpen, path } = row;
  const isDirectory = entry.type === 'directory';
  const name = visibleText(entry.name);
  return (
    <div
      id={id}
      role="treeitem"
      draggable
      aria-level={depth + 1}
      aria-selected={isCurrent}
      {...(isDirectory ? { 'aria-expanded': isOpen, 'data-directory': path } : {})}
      title={`${name}${isDirectory ? '' : `, ${bytesText(entry.size)}`}, changed ${exactTime(entry.modified_at)}`}
      className={`flex h-full cursor-pointer items-center gap-1.5 pr-1 text-sm hover:bg-sunken ${isCurrent ? 'bg-accent-soft font-medium' : isActive ? 'bg-sunken' : ''} ${isTarget ? 'outline-2 -outline-offset-2 outline-accent' : ''}`}
      style={{ paddingLeft: indent(depth) }}
    >
      <Icon
        name="chevron-right"
        className={`text-faint ${isDirectory ? '' : 'invisible'} ${isOpen ? 'rotate-90' : ''}`}
      />
      <Icon
        name={isDirectory ? (isOpen ? 'folder-open' : 'folder') : entry.type === 'symlink' ? 'link' : 'file'}
        className="text-faint"
      />
      <span className="min-w-0 grow truncate">{name}</span>
      {onAction ? (
        <span onClick={(event) => event.stopPropagation()}>
          <Menu
            label={`Actions for ${name}`}
            items={actionsOf(isDirectory).map((each) => ({
              ...each,
              onSelect: () => onAction(each.action, path, isDirectory),
            }))}
          />
        </span>
      ) : (
        !isDirectory && <span className="shrink-0 pr-2 text-xs text-faint tabular-nums">{bytesText(entry.size)}</span>
      )}
    </div>
  );
});

export const indent = (depth: number): number => 8 + Math.min(depth, 12) * 16;

const OF_ALL = [
  { action: 'download', label: 'Download', icon: 'download' },
  { action: 'rename', label: 'Rename or move …', icon: 'pencil' },
  { action: 'delete', label: 'Delete …', icon: 'trash-2', isDangerous: true },
] as const;
const OF_DIRECTORIES = [
  { action: 'new-file', label: 'New file in it …', icon: 'file-plus' },
  { action: 'new-folder', label: 'New folder in it …', icon: 'folder-plus' },
  { action: 'upload', label: 'Upload into it …', icon: 'upload' },
] as const;
const actionsOf = (isDirectory: boolean) => (isDirectory ? [...OF_DIRECTORIES, ...OF_ALL] : [...OF_ALL]);
