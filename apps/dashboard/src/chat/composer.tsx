import {
  type ClipboardEvent,
  type DragEvent,
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useRef,
  useState,
} from 'react';
import { IconButton } from '../components/button.js';
import { ErrorNote } from '../components/feedback.js';
import { isMac } from '../shell/keys.js';
import { AttachmentList } from './attachment-list.js';
import type { AttachedFile } from './attached-files.js';
import { useAttachments } from './attachments.js';

export interface Outgoing {
  text: string;
  files: AttachedFile[];
  mode: 'collect' | 'interrupt';
}

interface ComposerProps {
  agentId: string;
  agentName: string;
  /** A turn runs: a message waits for its end, or takes its place. */
  isAtWork: boolean;
  error: unknown;
  isSending: boolean;
  /** Whether it was taken. */
  onSend: (message: Outgoing) => Promise<boolean>;
  onStop: () => void;
}

const MAX_LENGTH = 100_000;
const MAX_HEIGHT_PX = 260;

/** Where one writes. What could not be sent stays in it. */
export function Composer({ agentId, agentName, isAtWork, error, isSending, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (!field.current) return;
    field.current.style.height = 'auto';
    field.current.style.height = `${Math.min(MAX_HEIGHT_PX, field.current.scrollHeight)}px`;
  }, [text]);
  const attachments = useAttachments(agentId);
  const chooser = useRef<HTMLInputElement>(null);
  const isEmpty = text.trim() === '' && attachments.list.length === 0;
  const isReady = attachments.list.every(({ state }) => state === 'done');
  const send = async (mode: Outgoing['mode']) => {
    if (isEmpty || !isReady || isSending) return;
    const sent = text;
    setText('');
    const files = attachments.list.map(({ path, size }) => ({ path, size }));
    if (await onSend({ text: sent, files, mode })) attachments.clear();
    else setText((now) => now || sent);
    field.current?.focus();
  };
  const take = (files: FileList | null, event?: ClipboardEvent | DragEvent) => {
    if (!files || files.length === 0) return;
    event?.preventDefault();
    attachments.add([...files]);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void send('collect');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // A word that is being composed, as of Japanese, is ended by Enter, too.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send(isAtWork && (event.metaKey || event.ctrlKey) ? 'interrupt' : 'collect');
  };
  return (
    <div
      onDragOver={(event) => event.dataTransfer.types.includes('Files') && event.preventDefault()}
      onDrop={(event) => take(event.dataTransfer.files, event)}
      className="shrink-0 px-4 pb-4 sm:px-6"
    >
      <div className="mx-auto max-w-3xl space-y-2 3xl:max-w-4xl">
        {error !== null && error !== undefined && <ErrorNote error={error} title="That was not done" />}
        <AttachmentList list={attachments.list} onRemove={attachments.remove} />
        <form
          onSubmit={onSubmit}
          className="flex items-end gap-1.5 rounded-2xl border border-line-strong bg-surface p-1.5 focus-within:border-accent"
        >
          <input
            ref={chooser}
            type="file"
            multiple
            hidden
            aria-label="Files to attach"
            onChange={({ target }) => {
              take(target.files);
              target.value = '';
            }}
          />
          <IconButton
            icon="paperclip"
            label="Attach files: up to 1 GiB each, or drop or paste them"
            onClick={() => chooser.current?.click()}
          />
          <textarea
            ref={field}
            autoFocus
            rows={1}
            value={text}
            maxLength={MAX_LENGTH}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
            onPaste={(event) => take(event.clipboardData.files, event)}
            aria-label={`Message to ${agentName}`}
            placeholder={isAtWork ? 'Waits for its turn, or interrupts' : `Message ${agentName}`}
            className="min-h-9 min-w-0 grow resize-none bg-transparent px-2.5 py-1.5 outline-none placeholder:text-faint"
          />
          {isAtWork && (
            <IconButton
              icon={isEmpty ? 'circle-stop' : 'zap'}
              label={isEmpty ? 'Stop what it does now' : `Interrupt and send (${isMac ? '⌘' : 'Ctrl '}↵)`}
              kind="plain"
              onClick={() => (isEmpty ? onStop() : void send('interrupt'))}
            />
          )}
          <IconButton
            type="submit"
            icon="arrow-up"
            label="Send"
            kind="primary"
            disabled={isEmpty || !isReady || isSending}
          />
        </form>
      </div>
    </div>
  );
}
