import { ConflictError } from '@roost-ai/sdk';
import { useSyncExternalStore } from 'react';
import { joined } from './tree-state.js';
import { uploadFile } from './upload-file.js';

export interface Upload {
  id: number;
  agentId: string;
  path: string;
  size: number;
  sent: number;
  /** `exists`: there is a file of that name, and nobody said that it may go. */
  state: 'waiting' | 'sending' | 'done' | 'exists' | 'failed';
  error?: unknown;
}
/** A file, and where it is to go below a directory. */
export interface Chosen {
  path: string;
  file: File;
}

const MAX_AT_ONCE = 2;

let uploads: Upload[] = [];
let count = 0;
const files = new Map<number, { file: File; abort: AbortController; onDone: (path: string) => void }>();
const listeners = new Set<() => void>();

/** They go on while other screens are looked at. */
export function useUploads(agentId: string): Upload[] {
  const all = useSyncExternalStore(subscribe, () => uploads);
  return all.filter((upload) => upload.agentId === agentId);
}

export function startUploads(
  agentId: string,
  directory: string,
  chosen: Chosen[],
  onDone: (path: string) => void,
): void {
  const fresh = chosen.map(({ path, file }): Upload => {
    const id = (count += 1);
    files.set(id, { file, abort: new AbortController(), onDone });
    return { id, agentId, path: joined(directory, path), size: file.size, sent: 0, state: 'waiting' };
  });
  set([...uploads, ...fresh]);
  next();
}

/** Sends it in place of what is there. */
export function replaceByUpload(id: number): void {
  change(id, { state: 'sending', sent: 0 });
  void send(id, true);
}

/** Stops it, or takes it off the list. */
export function dismissUpload(id: number): void {
  files.get(id)?.abort.abort();
  files.delete(id);
  set(uploads.filter((upload) => upload.id !== id));
}

function next(): void {
  const free = MAX_AT_ONCE - uploads.filter(({ state }) => state === 'sending').length;
  for (const { id } of uploads.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, free))) {
    change(id, { state: 'sending' });
    void send(id, false);
  }
}

async function send(id: number, overwrite: boolean): Promise<void> {
  const upload = uploads.find((each) => each.id === id);
  const held = files.get(id);
  if (!upload || !held) return;
  try {
    const onSent = (sent: number) => change(id, { sent });
    await uploadFile(upload, held.file, { overwrite, signal: held.abort.signal, onSent });
    change(id, { state: 'done', sent: upload.size });
    files.delete(id);
    held.onDone(upload.path);
  } catch (error) {
    const isThere = !overwrite && error instanceof ConflictError;
    change(id, isThere ? { state: 'exists' } : { state: 'failed', error });
  }
  next();
}

function change(id: number, to: Partial<Upload>): void {
  set(uploads.map((upload) => (upload.id === id ? { ...upload, ...to } : upload)));
}

function set(to: Upload[]): void {
  uploads = to;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
