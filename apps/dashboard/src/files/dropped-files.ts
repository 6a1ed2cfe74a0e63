import type { Chosen } from './uploads.js';

/** What was dropped, with what is in its directories. Entries must be taken in the event itself, before any waiting. */
export async function droppedFiles(data: DataTransfer): Promise<Chosen[]> {
  const entries: FileSystemEntry[] = [];
  const loose: Chosen[] = [];
  for (const item of data.items) {
    const entry = item.webkitGetAsEntry();
    // What another program drags, such as a picture, is in no folder.
    const file = entry ? null : item.getAsFile();
    if (entry) entries.push(entry);
    else if (file) loose.push({ path: file.name, file });
  }
  return [...loose, ...(await Promise.all(entries.map((entry) => filesOf(entry, '')))).flat()];
}

async function filesOf(entry: FileSystemEntry, above: string): Promise<Chosen[]> {
  const path = `${above}${entry.name}`;
  if (entry.isFile) return [{ path, file: await fileOf(entry as FileSystemFileEntry) }];
  const inside = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(inside.map((each) => filesOf(each, `${path}/`)))).flat();
}

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject));

/** A reader gives a part at a time, and nothing at its end. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
  return part.length === 0 ? [] : [...part, ...(await entriesOf(reader))];
}
