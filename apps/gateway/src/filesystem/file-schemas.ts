import { Count, FileEncoding, FileEtag, FileSize, ShownPath, Timestamp, wire } from '#lib/contracts';
import { z } from 'zod';

const Encoding = FileEncoding.default('utf-8');
const Bytes = z.coerce.number<number | string>().int().min(0);
const Overwrite = z.enum(['true', 'false']).default('false').describe('Whether a file that exists may be replaced.');
const FileText = z.string().describe('What it is to hold.');
export const ReadQuery = wire({
  encoding: Encoding,
  offset: Bytes.optional().describe('From which byte on; 0 if not given.'),
  length: Bytes.optional().describe('How many bytes; to the end if not given.'),
  download: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: the raw bytes, to be saved under the name of the file. For addresses, which carry no `Accept`.'),
});
export type ReadQuery = z.output<typeof ReadQuery>;
export const CreateQuery = wire({ overwrite: Overwrite });
export type CreateQuery = z.output<typeof CreateQuery>;
export const NewFile = wire({
  content: FileText,
  encoding: Encoding,
  overwrite: z.boolean().default(false).describe('Whether a file that exists may be replaced.'),
}).meta({ id: 'NewFile', description: 'A file to be written.' });
export type NewFile = z.output<typeof NewFile>;
export const NewContent = wire({ content: FileText, encoding: Encoding });
export type NewContent = z.output<typeof NewContent>;
export const FilePatch = wire({
  operation: z.enum(['append', 'prepend', 'replace']).describe('At the end, at the beginning, or in place of a part.'),
  content: z.string().describe('What is added.'),
  encoding: Encoding,
  position: Count.optional().describe('Of `replace`, which needs it: at which byte, from 0.'),
  length: Count.optional().describe('Of `replace`: how many bytes are taken out; 0 if not given.'),
});
export type FilePatch = z.output<typeof FilePatch>;
export const Updated = wire({
  path: ShownPath,
  size: FileSize,
  updatedAt: Timestamp.describe('When it was written.'),
  etag: FileEtag.optional(),
}).meta({ id: 'UpdatedFile', description: 'A file that was changed.' });
