import type { Platform } from './platform.js';

/** What the user sees last: the key, a first conversation to paste, and the line that says Roost is ready. */
export function readyMessage({ url, apiKey, apiKeyFile, logFile }: Platform, model: string): string {
  return `
API key  ${apiKey}
         (kept in ${apiKeyFile})
Log      ${logFile}
Model    ${model}

Make an agent, give it work, read its answer:

  KEY=${apiKey}
  ID=$(curl -s ${url}/v1/agent/create -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"name":"my-agent"}' | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4)
  MESSAGE=$(curl -s ${url}/v1/agent/$ID/messages -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"content":"write hello to notes.txt"}' | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4)
  curl -s "${url}/v1/agent/$ID/messages/$MESSAGE?wait=30" -H "Authorization: Bearer $KEY"

Roost is ready at ${url}`;
}
