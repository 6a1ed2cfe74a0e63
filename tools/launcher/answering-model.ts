import { printable } from '#lib/bounded-streams';
import type { Platform } from './platform.js';

/** A provider is given four seconds by the runtime; nobody's start waits for longer than this. */
const WAIT_MS = 6_000;
const MAX_CHARS = 600;

/** Of our own gateway's answer; this process does without the schemas, which cost it memory. */
interface Models {
  models: { id: string; is_default: boolean }[];
  notes: string[];
}

/** Which model answers agents that name none, or why none does: one line for the banner. Never rejects. */
export async function answeringModel({ url, apiKey }: Pick<Platform, 'url' | 'apiKey'>): Promise<string> {
  try {
    const response = await fetch(`${url}/v1/models`, {
      headers: { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(WAIT_MS),
    });
    const { models, notes } = (await response.json()) as Models;
    return printable(lineOf(models.find(({ is_default }) => is_default)?.id, notes)).slice(0, MAX_CHARS);
  } catch {
    return 'not known yet: GET /v1/models shows it';
  }
}

function lineOf(id: string | undefined, notes: string[]): string {
  if (id === undefined) return `none yet: ${notes.at(-1) ?? 'set ROOST_DEFAULT_MODEL'}`;
  if (id !== 'demo') return [id, ...notes].join('; ');
  return 'demo (built in and offline; ANTHROPIC_API_KEY, OPENAI_API_KEY, GOOGLE_API_KEY or OPENAI_BASE_URL give a real one)';
}
