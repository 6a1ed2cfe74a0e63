import { IconButton } from '../components/button.js';
import { inputClass } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import type { EntryAction } from './tree-line.js';

interface FilesToolbarProps {
  query: string;
  onQuery: (query: string) => void;
  /** At the top of the workspace. */
  onAction: (action: EntryAction) => void;
  onRefresh: () => void;
}

export function FilesToolbar({ query, onQuery, onAction, onRefresh }: FilesToolbarProps) {
  return (
    <div className="flex shrink-0 items-center gap-1 border-b border-line p-2">
      <label className="relative min-w-0 grow">
        <span className="sr-only">Search in files</span>
        <Icon name="search" className="absolute top-2.5 left-3 text-faint" />
        <input
          type="search"
          value={query}
          placeholder="Names and texts"
          maxLength={200}
          onChange={({ target }) => onQuery(target.value)}
          className={`${inputClass} pl-9`}
        />
      </label>
      <IconButton icon="upload" label="Upload files" onClick={() => onAction('upload')} />
      <IconButton icon="file-plus" label="New file" onClick={() => onAction('new-file')} />
      <Menu
        label="More for the workspace"
        items={[
          { label: 'New folder …', icon: 'folder-plus', onSelect: () => onAction('new-folder') },
          { label: 'Download all', icon: 'download', onSelect: () => onAction('download') },
          { label: 'Look again', icon: 'refresh-cw', onSelect: onRefresh },
        ]}
      />
    </div>
  );
}
