import { type Core, dataOf } from '../core.js';
import { filesystemCopy, filesystemDeleteMany, filesystemMove, filesystemSearch } from '../generated/sdk.gen.js';
import type {
  ArchiveUnpackResponses,
  FilesCreateResponses,
  FilesPatchData,
  FilesReplaceResponses,
  FilesystemChangeMetadataData,
  FilesystemCopyResponses,
  FilesystemDeleteManyResponses,
  FilesystemListResponses,
  FilesystemMetadataResponses,
  FilesystemSearchData,
  FilesystemSearchResponses,
} from '../generated/types.gen.js';
import { Listing } from '../listing.js';
import type { CallOptions, Content } from '../transport/transport.js';
import { type Download, downloadOf } from './download.js';
import { encodePath, queryOf } from './path.js';

export type DirectoryEntry = FilesystemListResponses[200]['entries'][number];
export type FileMetadata = FilesystemMetadataResponses[200];
export type WrittenFile = FilesCreateResponses[201] | FilesReplaceResponses[200];
export type FileSearch = FilesystemSearchData['body'];
export type FilePatch = FilesPatchData['body'];
export interface FileMove {
  source: string;
  destination: string;
  overwrite?: boolean;
}

const BYTES = 'application/octet-stream';
/** Compressed on the way its length would not be known. Browsers decide that themselves. */
const AS_IT_IS = { 'accept-encoding': 'identity' };

/** The agent's workspace. Paths begin at its root; `notes/a.txt` and `/workspace/notes/a.txt` are the same. */
export class Files {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  /** The file as text. */
  async read(path: string, options?: CallOptions): Promise<string> {
    return (await this.download(path, options)).text();
  }

  /** The file as it comes, of any size; with `range` a part of it. */
  async download(
    path: string,
    options: CallOptions & { range?: { start: number; end?: number } } = {},
  ): Promise<Download> {
    const { range, ...call } = options;
    const part = range && { range: `bytes=${range.start}-${range.end ?? ''}` };
    const sent = { method: 'GET', path: this.at('files', path), headers: { ...AS_IT_IS, accept: BYTES, ...part } };
    return downloadOf(await this.core.transport.stream(sent, call));
  }

  /**
   * Writes a file of up to 1 GiB in one step, from a text, bytes or a stream; parents are made. With `ifMatch` only if
   * the file is still the one with this etag, with `overwrite: false` only if there is none.
   */
  async write(
    path: string,
    content: Content,
    options: CallOptions & { overwrite?: boolean; ifMatch?: string | undefined } = {},
  ): Promise<WrittenFile> {
    const { overwrite = true, ifMatch, ...call } = options;
    const headers = { 'content-type': BYTES };
    return this.json(
      ifMatch === undefined
        ? { method: 'POST', path: this.at('files', path, { overwrite }), headers, body: content }
        : {
            method: 'PUT',
            path: this.at('files', path),
            headers: { ...headers, 'if-match': `"${ifMatch}"` },
            body: content,
          },
      call,
    );
  }

  /** Changes a part of a file. Not tried again when the answer is lost. */
  async patch(
    path: string,
    patch: FilePatch,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<FilesReplaceResponses[200]> {
    return this.sendJson('PATCH', 'files', path, patch, options);
  }

  async delete(path: string, options?: CallOptions & { ifMatch?: string }): Promise<{ path: string }> {
    return this.json({ method: 'DELETE', path: this.at('files', path), headers: conditionOf(options) }, options);
  }

  /** What is in a directory, by name; the root when no path is given. */
  list(path = '', query: { recursive?: boolean } = {}, options?: CallOptions): Listing<DirectoryEntry> {
    const recursive = query.recursive ? { recursive: 'true' } : {};
    return Listing.of<DirectoryEntry, string>(async (cursor) => {
      const at = this.at('directories', path, { ...recursive, limit: 1_000, cursor });
      const answer = await this.json<FilesystemListResponses[200]>({ method: 'GET', path: at }, options);
      return { items: answer.entries, next: answer.next_cursor ?? undefined };
    });
  }

  async makeDirectory(path: string, options?: CallOptions): Promise<{ path: string }> {
    return this.sendJson('POST', 'directories', path, { recursive: true }, options);
  }

  async deleteDirectory(path: string, options: CallOptions & { recursive?: boolean } = {}): Promise<{ path: string }> {
    const query = options.recursive ? { recursive: 'true' } : {};
    return this.json({ method: 'DELETE', path: this.at('directories', path, query) }, options);
  }

  async stat(path: string, options?: CallOptions): Promise<FileMetadata> {
    return this.json({ method: 'GET', path: this.at('metadata', path) }, options);
  }

  /** Permissions and tags. */
  async setMetadata(
    path: string,
    change: FilesystemChangeMetadataData['body'],
    options?: CallOptions,
  ): Promise<FileMetadata> {
    return this.sendJson('PATCH', 'metadata', path, change, options);
  }

  /** Each stands alone: look at `success` of each result. */
  async copy(operations: FileMove[], options?: CallOptions): Promise<FilesystemCopyResponses[200]['results']> {
    return (await dataOf(filesystemCopy({ ...this.call(options), body: { operations } }))).results;
  }

  /** Each stands alone: look at `success` of each result. */
  async move(operations: FileMove[], options?: CallOptions): Promise<FilesystemCopyResponses[200]['results']> {
    return (await dataOf(filesystemMove({ ...this.call(options), body: { operations } }))).results;
  }

  async deleteMany(
    paths: string[],
    options: CallOptions & { recursive?: boolean } = {},
  ): Promise<FilesystemDeleteManyResponses[200]['results']> {
    const { recursive = false, ...call } = options;
    return (await dataOf(filesystemDeleteMany({ ...this.call(call), body: { paths, recursive } }))).results;
  }

  /** By name or content. */
  search(search: FileSearch, options?: CallOptions): Promise<FilesystemSearchResponses[200]> {
    return dataOf(filesystemSearch({ ...this.call(options), body: search }));
  }

  /** A directory with all that is in it, as it comes. */
  async downloadArchive(path = '', options: CallOptions & { format?: 'tar.gz' | 'zip' } = {}): Promise<Download> {
    const { format, ...call } = options;
    const sent = { method: 'GET', path: this.at('archive', path, { format }), headers: { ...AS_IT_IS, accept: '*/*' } };
    return downloadOf(await this.core.transport.stream(sent, call));
  }

  /** Unpacks a tar.gz or zip into a directory: all of it, or nothing. */
  async uploadArchive(
    path: string,
    archive: Content,
    options: CallOptions & { format?: 'tar.gz' | 'zip'; overwrite?: boolean } = {},
  ): Promise<ArchiveUnpackResponses[201]> {
    const { format = 'tar.gz', overwrite = false, ...call } = options;
    const headers = { 'content-type': format === 'zip' ? 'application/zip' : 'application/gzip' };
    const at = this.at('archive', path, { format, overwrite });
    return this.json({ method: 'POST', path: at, headers, body: archive }, call);
  }

  private call(options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: this.agentId } };
  }

  private sendJson<T>(
    method: string,
    kind: string,
    path: string,
    body: object,
    options?: CallOptions & { ifMatch?: string },
  ): Promise<T> {
    const headers = { 'content-type': 'application/json', ...conditionOf(options) };
    return this.json({ method, path: this.at(kind, path), headers, body: JSON.stringify(body) }, options);
  }

  private async json<T>(call: Parameters<Core['transport']['send']>[0], options?: CallOptions): Promise<T> {
    // The caller names the response that the document describes.
    return (await (await this.core.transport.send(call, options)).json()) as T;
  }

  private at(kind: string, path: string, query: Record<string, string | number | boolean | undefined> = {}): string {
    const target = encodePath(path);
    // Only directories and archives have a root.
    const rest = target === '' && kind === 'directories' ? '' : `/${target}`;
    return `/v1/agent/${encodeURIComponent(this.agentId)}/filesystem/${kind}${rest}${queryOf(query)}`;
  }
}

const conditionOf = (options: { ifMatch?: string | undefined } = {}): Record<string, string> =>
  options.ifMatch === undefined ? {} : { 'if-match': `"${options.ifMatch}"` };
