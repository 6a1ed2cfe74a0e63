import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Platform } from './platform.js';

/** Nobody's start waits for longer than this. */
const WAIT_MS = 3_000;
const DASHBOARD = fileURLToPath(
  import.meta.url.replace(/(\/dist)?\/tools\/launcher\/.*$/, '/dist/dashboard/index.html'),
);

/** Where a browser on this machine gets in, once; undefined without a dashboard, or when no link is to be had. Never rejects. */
export async function signInLink({ url, apiKey }: Pick<Platform, 'url' | 'apiKey'>): Promise<string | undefined> {
  if (!existsSync(DASHBOARD)) return undefined;
  try {
    const response = await fetch(`${url}/auth/sign_in_links`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: '{}',
      signal: AbortSignal.timeout(WAIT_MS),
    });
    const { path } = (await response.json()) as { path?: string };
    return path === undefined ? undefined : `${url}${path}`;
  } catch {
    return undefined;
  }
}
