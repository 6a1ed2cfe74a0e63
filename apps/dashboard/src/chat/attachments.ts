import { type RefObject, useRef, useState } from 'react';
import { roost } from '../api/roost.js';
import { bytesText } from '../components/amounts.js';
import { toastError } from '../components/toasts.js';
import { MAX_UPLOAD_BYTES, uploadFile } from '../files/upload-file.js';
import { attachmentPath } from './attached-files.js';

export interface Attachment {
  id: number;
  path: string;
  name: string;
  size: number;
  sent: number;
  state: 'sending' | 'done' | 'failed';
  error?: unknown;
}

/** As many as a message of a chat platform brings. */
export const MAX_ATTACHMENTS = 10;

export interface Attachments {
  list: Attachment[];
  add: (files: readonly File[]) => void;
  remove: (id: number) => void;
  clear: () => void;
}

/** Files for the next message. Each is sent to the workspace at once, one after the other. */
export function useAttachments(agentId: string): Attachments {
  const [list, setList] = useState<Attachment[]>([]);
  const count = useRef(0);
  const ends = useRef(new Map<number, AbortController>());
  const last = useRef<Promise<void>>(Promise.resolve());
  const change = (id: number, to: Partial<Attachment>) =>
    setList((before) => before.map((each) => (each.id === id ? { ...each, ...to } : each)));

  const add = (files: readonly File[]) => {
    const free = MAX_ATTACHMENTS - list.length;
    if (files.length > free) toastError(new Error(`A message takes up to ${MAX_ATTACHMENTS} files.`));
    for (const file of files.slice(0, Math.max(0, free))) {
      const id = (count.current += 1);
      const attachment: Attachment = {
        ...{ id, path: attachmentPath(file.name), name: file.name },
        ...{ size: file.size, sent: 0, state: 'sending' },
      };
      setList((before) => [...before, attachment]);
      last.current = last.current.then(() => send(attachment, file));
    }
  };
  const send = async ({ id, path, size }: Attachment, file: File) => {
    if (size > MAX_UPLOAD_BYTES) {
      const error = new Error(`A file can have up to ${bytesText(MAX_UPLOAD_BYTES)}.`);
      return change(id, { state: 'failed', error });
    }
    const end = endOf(ends, id);
    if (end.signal.aborted) return;
    try {
      const onSent = (sent: number) => change(id, { sent });
      await uploadFile({ agentId, path }, file, { overwrite: true, signal: end.signal, onSent });
      change(id, { state: 'done', sent: size });
    } catch (error) {
      change(id, { state: 'failed', error });
    }
  };
  const remove = (id: number) => {
    endOf(ends, id).abort();
    const gone = list.find((each) => each.id === id);
    setList((before) => before.filter((each) => each.id !== id));
    // Nobody would look for it there.
    if (gone?.state === 'done') roost.agent(agentId).files.delete(gone.path).catch(toastError);
  };
  return { list, add, remove, clear: () => setList([]) };
}

function endOf(ends: RefObject<Map<number, AbortController>>, id: number): AbortController {
  const known = ends.current.get(id) ?? new AbortController();
  ends.current.set(id, known);
  return known;
}
