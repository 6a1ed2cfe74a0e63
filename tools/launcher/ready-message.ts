import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isFoundFrom } from './local-profile.js';
import type { Platform } from './platform.js';

/** Made by `npm run guide`, and served by the gateway. */
const GUIDE = fileURLToPath(import.meta.url.replace(/(\/dist)?\/tools\/launcher\/.*$/, '/dist-guide/guide/index.html'));

/** What the user sees last: the key, where to go with a browser and by command, and the line that says Roost is ready. */
export function readyMessage(
  { url, apiKey, apiKeyFile, logFile }: Platform,
  { model, link }: { model: string; link: string | undefined },
  dataDir: string,
  cwd = process.cwd(),
): string {
  const which = isFoundFrom(cwd, dataDir) ? '' : `ROOST_URL=${url} ROOST_API_KEY=$(cat ${apiKeyFile}) `;
  const browser =
    link === undefined
      ? ''
      : `\nOpen the dashboard on this machine (the link works once, for 15 minutes):\n\n  ${link}\n`;
  const guide = existsSync(GUIDE) ? `Guide      ${url}/docs/guide/\n` : '';
  return `
API key    ${apiKey}
           (kept in ${apiKeyFile})
Log        ${logFile}
Model      ${model}
Reference  ${url}/docs
${guide}${browser}
Talk to an agent, in another terminal:

  ${which}npx roost chat

Roost is ready at ${url}`;
}
