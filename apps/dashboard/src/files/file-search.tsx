import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useDeferredValue, useRef } from 'react';
import { roost } from '../api/roost.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { filesKey } from './file-content.js';

const MAX_LINES_SHOWN = 3;

/** Files whose name or text holds what is looked for. */
export function FileSearch({ agentId, query }: { agentId: string; query: string }) {
  const wanted = useDeferredValue(query.trim());
  const { data, error, refetch } = useQuery({
    queryKey: [...filesKey(agentId), 'search', wanted],
    queryFn: ({ signal }) => search(agentId, wanted, signal),
    placeholderData: (before) => before,
  });
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  if (error)
    return (
      <div className="p-3">
        <ErrorNote error={error} title="That cannot be looked for" onRetry={() => void refetch()} />
      </div>
    );
  if (!data)
    return (
      <div className="p-3">
        <Skeletons count={6} className="h-8" />
      </div>
    );
  return (
    <div className="min-h-0 grow overflow-y-auto">
      <p role="status" className="px-4 py-2 text-xs text-faint">
        {data.results.length === 0
          ? 'Nothing is found.'
          : `${data.results.length}${data.truncated ? ' or more' : ''} found`}
      </p>
      <ul ref={list}>
        {data.results.map(({ path, type, matches }) => (
          <li key={path}>
            <Link
              to="."
              search={{ q: query, path: relative(path), ...(matches?.[0] ? { line: matches[0].line } : {}) }}
              disabled={type === 'directory'}
              data-row=""
              className="block px-4 py-1.5 text-sm -outline-offset-2 hover:bg-sunken aria-[current=page]:bg-accent-soft"
            >
              <span className="flex items-center gap-2">
                <Icon name={type === 'directory' ? 'folder' : 'file'} className="text-faint" />
                <span className="truncate">{visibleText(relative(path))}</span>
              </span>
              {matches?.slice(0, MAX_LINES_SHOWN).map(({ line, text }) => (
                <span key={line} className="block truncate pl-6 font-mono text-xs text-soft">
                  <span className="text-faint tabular-nums">{line}</span> {visibleText(text.trim())}
                </span>
              ))}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** In names as a part of them or by a glob, in texts as it was written. */
async function search(agentId: string, query: string, signal: AbortSignal) {
  const { files } = roost.agent(agentId);
  const [names, texts] = await Promise.all([
    files.search({ query, type: 'filename' }, { signal }),
    files.search({ query: query.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), type: 'content' }, { signal }),
  ]);
  // Of one that is found by both, the lines are shown.
  const found = new Map([...names.results, ...texts.results].map((result) => [result.path, result]));
  return { results: [...found.values()], truncated: names.truncated || texts.truncated };
}

const relative = (path: string): string => path.replace(/^\/workspace\//, '');
