import { Link } from '@tanstack/react-router';
import { bytesText } from '../components/amounts.js';
import { IconButton } from '../components/button.js';
import { messageOf } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { visibleText } from '../components/visible-text.js';
import { MAX_UPLOAD_BYTES } from '../files/upload-file.js';
import type { AttachedFile } from './attached-files.js';
import type { Attachment } from './attachments.js';

const ROW = 'flex min-w-0 items-center gap-2 rounded-lg border border-line bg-surface py-1 pl-2.5 text-sm';

/** Files for the next message: how far they are, and what they may be. */
export function AttachmentList({ list, onRemove }: { list: Attachment[]; onRemove: (id: number) => void }) {
  if (list.length === 0) return null;
  return (
    <div className="space-y-1.5">
      <ul aria-label="Files for the message" className="flex flex-wrap gap-2">
        {list.map(({ id, name, size, sent, state, error }) => (
          <li key={id} className={`${ROW} max-w-full`}>
            <Icon
              name={state === 'failed' ? 'circle-alert' : 'file'}
              className={state === 'failed' ? 'text-bad' : 'text-faint'}
            />
            <div className="min-w-0">
              <p className="truncate">{visibleText(name)}</p>
              {state === 'sending' && (
                <progress
                  aria-label={`Upload of ${visibleText(name)}`}
                  value={sent}
                  max={Math.max(1, size)}
                  className="block h-1.5 w-full accent-accent"
                />
              )}
              {state === 'failed' && <p className="text-xs wrap-anywhere text-bad">{messageOf(error)}</p>}
            </div>
            <span className="text-xs whitespace-nowrap text-faint tabular-nums">{bytesText(size)}</span>
            <IconButton icon="x" label={`Remove ${visibleText(name)}`} onClick={() => onRemove(id)} />
          </li>
        ))}
      </ul>
      <p className="text-xs text-faint">
        Up to {bytesText(MAX_UPLOAD_BYTES)} each, and what the agent’s volume holds. They go to inbox/ in its files.
      </p>
    </div>
  );
}

/** Files that came with a message; each is in the workspace, as long as nobody deletes it. */
export function AttachedFiles({ agentId, files }: { agentId: string; files: AttachedFile[] }) {
  if (files.length === 0) return null;
  return (
    <ul aria-label="Files of the message" className="flex max-w-full flex-wrap justify-end gap-2">
      {files.map(({ path, size }) => (
        <li key={path} className="min-w-0">
          <Link
            to="/agents/$agentId/files"
            params={{ agentId }}
            search={{ path }}
            className={`${ROW} pr-2.5 hover:bg-sunken`}
          >
            <Icon name="file" className="text-faint" />
            <span className="min-w-0 truncate">{visibleText(path.split('/').at(-1) ?? path)}</span>
            <span className="text-xs whitespace-nowrap text-faint">{bytesText(size)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
