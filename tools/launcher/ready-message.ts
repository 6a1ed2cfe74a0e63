import { isFoundFrom } from './local-profile.js';
import type { Platform } from './platform.js';

/** What the user sees last: the key, the command for a first conversation, and the line that says Roost is ready. */
export function readyMessage(
  { url, apiKey, apiKeyFile, logFile }: Platform,
  model: string,
  dataDir: string,
  cwd = process.cwd(),
): string {
  const which = isFoundFrom(cwd, dataDir) ? '' : `ROOST_URL=${url} ROOST_API_KEY=$(cat ${apiKeyFile}) `;
  return `
API key    ${apiKey}
           (kept in ${apiKeyFile})
Log        ${logFile}
Model      ${model}
Reference  ${url}/docs

Talk to an agent, in another terminal:

  ${which}npx roost chat

Roost is ready at ${url}`;
}
