import { bytesText } from '../components/amounts.js';
import { Button, IconButton } from '../components/button.js';
import { messageOf } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { visibleText } from '../components/visible-text.js';
import { dismissUpload, replaceByUpload, type Upload, useUploads } from './uploads.js';

/** What is being sent to the workspace, and what came of it. */
export function UploadList({ agentId }: { agentId: string }) {
  const uploads = useUploads(agentId);
  if (uploads.length === 0) return null;
  const over = uploads.filter(({ state }) => state === 'done');
  return (
    <section
      aria-label="Uploads"
      className="max-h-60 shrink-0 overflow-y-auto border-t border-line bg-surface p-2 text-sm"
    >
      <div className="flex items-center justify-between gap-2 pb-1 pl-2">
        <h3 className="font-medium">
          {over.length} of {uploads.length} uploaded
        </h3>
        {over.length > 0 && (
          <Button kind="quiet" onClick={() => over.forEach(({ id }) => dismissUpload(id))}>
            Clear
          </Button>
        )}
      </div>
      <ul>
        {uploads.map((upload) => (
          <UploadRow key={upload.id} upload={upload} />
        ))}
      </ul>
    </section>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  const { id, path, size, sent, state, error } = upload;
  const name = visibleText(path);
  return (
    <li className="flex items-center gap-2 pl-2">
      <Icon
        name={ICONS[state]}
        className={state === 'done' ? 'text-ok' : state === 'failed' ? 'text-bad' : 'text-faint'}
      />
      <div className="min-w-0 grow">
        <p className="truncate">{name}</p>
        {state === 'sending' && (
          <progress
            aria-label={`Upload of ${name}`}
            value={sent}
            max={Math.max(1, size)}
            className="block h-1.5 w-full accent-accent"
          />
        )}
        {state === 'failed' && <p className="text-xs wrap-anywhere text-bad">{messageOf(error)}</p>}
        {state === 'exists' && <p className="text-xs text-warn">There is a file of this name.</p>}
      </div>
      {state === 'exists' && (
        <Button kind="quiet" onClick={() => replaceByUpload(id)}>
          Replace it
        </Button>
      )}
      <span className="text-xs whitespace-nowrap text-faint tabular-nums">{bytesText(size)}</span>
      <IconButton
        icon="x"
        label={state === 'sending' ? `Cancel ${name}` : `Dismiss ${name}`}
        onClick={() => dismissUpload(id)}
      />
    </li>
  );
}

const ICONS = {
  waiting: 'clock',
  sending: 'upload',
  done: 'check',
  exists: 'triangle-alert',
  failed: 'circle-alert',
} as const;
