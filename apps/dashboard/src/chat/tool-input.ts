import { visibleText } from '../components/visible-text.js';

/** What of a call says most in one line, by the names that tools use. */
const SUMMARIES = ['command', 'cmd', 'path', 'file_path', 'url', 'query', 'pattern', 'name', 'content'];
const MAX_SUMMARY = 160;

/** What a tool was asked, to be read; a call with one text is that text. */
export function inputText(input: unknown): string {
  if (typeof input === 'string') return input;
  if (typeof input !== 'object' || input === null) return JSON.stringify(input) ?? '';
  const fields = Object.entries(input);
  const [only] = fields;
  if (fields.length === 1 && typeof only?.[1] === 'string') return only[1];
  return JSON.stringify(input, null, 2);
}

/** The same in one line. */
export function summaryOf(input: unknown): string {
  if (typeof input !== 'object' || input === null) return '';
  const fields = input as Record<string, unknown>;
  const found = SUMMARIES.map((name) => fields[name]).find((value) => typeof value === 'string');
  return visibleText(String(found ?? '').split('\n')[0] ?? '').slice(0, MAX_SUMMARY);
}
