const MAX_FILES = 10;
/** Code is passed over; what is left are links to files of the workspace. */
const LINK =
  /(```[\s\S]*?(?:```|$)|~~~[\s\S]*?(?:~~~|$)|`[^`\n]+`)|!?\[([^[\]\n]*)\]\(\s*<?(?:sandbox:)?(\/workspace\/[^()<>\n]+)(?:[>\n]\s*)?\)/g;

/**
 * An agent attaches a file by linking it: `[report](/workspace/report.pdf)`. A chat cannot follow such a link, so the
 * file is shown with the reply and the link becomes its label. At most ten files; further links become labels only.
 */
export function attachedFiles(markdown: string): { markdown: string; paths: string[] } {
  const paths = new Set<string>();
  const text = markdown.replace(LINK, (whole, code: string | undefined, label = '', target = '') => {
    if (code !== undefined) return whole;
    const path = decoded(String(target).trim());
    if (path.split('/').includes('..')) return whole;
    if (paths.size < MAX_FILES) paths.add(path);
    return String(label).trim() || path.slice(path.lastIndexOf('/') + 1);
  });
  return { markdown: text, paths: [...paths] };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
