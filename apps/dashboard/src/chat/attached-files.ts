import type { Message } from '@roost-ai/sdk';

/** A file of the workspace that came with a message. */
export type AttachedFile = { path: string; size: number };

/** As chat platforms' files are announced, so that a model sees one form. */
const HEADING = 'Files that came with this message:';
/** Of a name in a file system, less what stands in front of it. */
const MAX_NAME_BYTES = 200;
const HIDDEN = /[\p{Cc}\p{Cf}/\\]/gu;

/** Where it goes: beside what people send from chats, and never over another file. */
export function attachmentPath(name: string, now = new Date()): string {
  const mark = crypto.randomUUID().slice(0, 8);
  return `inbox/${now.toISOString().slice(0, 10)}/${mark}-${safeName(name)}`;
}

/** A name from outside as one path segment: no folders, nothing invisible, short enough for every file system. */
export function safeName(name: string): string {
  const plain = name.toWellFormed().replace(HIDDEN, '_').trim();
  const dot = plain.lastIndexOf('.');
  const extension = dot > 0 && plain.length - dot <= 16 ? plain.slice(dot) : '';
  let stem = [...(extension ? plain.slice(0, dot) : plain)];
  const bytes = () => new TextEncoder().encode(stem.join('') + extension).length;
  while (stem.length > 0 && bytes() > MAX_NAME_BYTES) stem = stem.slice(0, -1);
  return stem.join('') + extension || 'file';
}

/** What is said to the agent: the text, and which files came with it. */
export function withFiles(text: string, files: readonly AttachedFile[]): string {
  return [text, listOf(files)].filter((part) => part.trim() !== '').join('\n\n');
}

const listOf = (files: readonly AttachedFile[]): string =>
  files.length === 0 ? '' : [HEADING, ...files.map(({ path, size }) => `- ${path} (${size} bytes)`)].join('\n');

/** A message as people read it: its text, and the files apart from it. */
export function partsOf({ content, metadata }: Pick<Message, 'content' | 'metadata'>): {
  text: string;
  files: AttachedFile[];
} {
  const files = filesIn(metadata['files']);
  const list = listOf(files);
  if (list === '' || !content.endsWith(list)) return { text: content, files: [] };
  return { text: content.slice(0, -list.length).trimEnd(), files };
}

/** Whoever sends a message may give along anything. */
function filesIn(value: unknown): AttachedFile[] {
  if (!Array.isArray(value)) return [];
  const isFile = (each: unknown): each is AttachedFile =>
    typeof each === 'object' &&
    each !== null &&
    typeof (each as AttachedFile).path === 'string' &&
    typeof (each as AttachedFile).size === 'number';
  return value.every(isFile) ? value : [];
}
