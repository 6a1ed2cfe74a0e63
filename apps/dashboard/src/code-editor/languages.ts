import type { Extension } from '@codemirror/state';

/** Loaded when a file of it is opened. */
const LANGUAGES: [names: RegExp, load: () => Promise<Extension>][] = [
  [/\.(md|markdown)$/i, async () => (await import('@codemirror/lang-markdown')).markdown()],
  [/\.(json|jsonl|webmanifest)$/i, async () => (await import('@codemirror/lang-json')).json()],
  [/\.ya?ml$/i, async () => (await import('@codemirror/lang-yaml')).yaml()],
  [
    /\.([cm]?[jt]s|[jt]sx)$/i,
    async () => (await import('@codemirror/lang-javascript')).javascript({ typescript: true, jsx: true }),
  ],
  [/\.py$/i, async () => (await import('@codemirror/lang-python')).python()],
  [/\.(html?|svg|xml)$/i, async () => (await import('@codemirror/lang-html')).html()],
  [/\.css$/i, async () => (await import('@codemirror/lang-css')).css()],
];

/** Undefined: it is shown as plain text. */
export async function languageOf(name: string): Promise<Extension | undefined> {
  return LANGUAGES.find(([names]) => names.test(name))?.[1]();
}
