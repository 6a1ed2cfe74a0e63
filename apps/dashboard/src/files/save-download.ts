import type { Download } from '@roost-ai/sdk';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';
import { nameOf } from './tree-state.js';
import { visibleText } from '../components/visible-text.js';

/** Gives what comes to the browser to be saved. The browser keeps it on disk meanwhile where it is large. */
async function saveDownload(download: Download, name: string): Promise<void> {
  const blob = await new Response(download.stream).blob();
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The same for a browser that fetches it itself, once something is dragged out of it. */
export function downloadAddress(agentId: string, path: string, isDirectory: boolean): string {
  const place = path.split('/').map(encodeURIComponent).join('/');
  const kind = isDirectory ? `archive/${place}?format=zip` : `files/${place}?download=true`;
  return `${window.location.origin}/v1/agent/${agentId}/filesystem/${kind}`;
}

/** A directory as an archive, a file as it is. */
export async function downloadEntry(agentId: string, path: string, isDirectory: boolean): Promise<void> {
  const { files } = roost.agent(agentId);
  const name = nameOf(path) || 'workspace';
  try {
    if (isDirectory) toast(`${visibleText(name)} is packed and downloaded.`);
    const source = await (isDirectory ? files.downloadArchive(path, { format: 'zip' }) : files.download(path));
    await saveDownload(source, isDirectory ? `${name}.zip` : name);
  } catch (error) {
    toastError(error);
  }
}
