import { useRef } from 'react';
import type { TreeStore } from './tree-store.js';
import { type Chosen, startUploads } from './uploads.js';

/** Of many files the tree is read again once. */
const SETTLE_MS = 300;

/** Files by a dialog of the browser, or dropped ones. */
export function useUpload(agentId: string, store: TreeStore) {
  const input = useRef<HTMLInputElement>(null);
  const directory = useRef('');
  const arrived = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const start = (into: string, chosen: Chosen[]) => {
    store.open(into);
    startUploads(agentId, into, chosen, (path) => {
      arrived.current.add(path);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        store.changed(...arrived.current);
        arrived.current.clear();
      }, SETTLE_MS);
    });
  };
  const field = (
    <input
      ref={input}
      type="file"
      multiple
      hidden
      aria-label="Files to upload"
      onChange={({ target }) => {
        start(
          directory.current,
          [...(target.files ?? [])].map((file) => ({ path: file.name, file })),
        );
        target.value = '';
      }}
    />
  );
  const choose = (into: string) => {
    directory.current = into;
    input.current?.click();
  };
  return { start, choose, field };
}
