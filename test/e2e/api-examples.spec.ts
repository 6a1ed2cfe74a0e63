import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startRoost, TelegramPlatform, type TestRoost } from '#lib/testing';
import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Recorded, Recorder } from './api-examples/recorder.js';
import { differences } from './api-examples/shape.js';
import { walkAccounts } from './api-examples/walk-accounts.js';
import { walkAgents } from './api-examples/walk-agents.js';
import { walkAutomation, walkChannels, walkDocuments, walkMcp, walkWebhooks } from './api-examples/walk-automation.js';

const FILE = fileURLToPath(new URL('../../apps/gateway/src/openapi/examples.json', import.meta.url));

/** What no call of this walk can have: with another system's signature, or no JSON either way. */
const WITHOUT_EXAMPLE = [
  'ChannelWebhooks_slack',
  'ChannelWebhooks_webhook',
  'Events_follow',
  'McpLanding_landed',
  'Oauth_begin',
  'Oauth_finish',
  'Runs_events',
];

describe('the examples of the API reference', () => {
  let telegram: TelegramPlatform;
  let roost: TestRoost;
  let recorder: Recorder;

  beforeAll(async () => {
    telegram = await TelegramPlatform.start();
    roost = await startRoost({ env: { TELEGRAM_API_BASE_URL: telegram.url, TELEGRAM_UPDATES: 'polling' } });
    recorder = await Recorder.of(roost);
  });
  afterAll(async () => {
    await roost?.stop();
    await telegram?.stop();
  });

  it('are what a real Roost answers: as in the file, or `UPDATE_EXAMPLES=1` writes it anew', async () => {
    await walkAccounts(roost, recorder);
    const agentId = await walkAgents(roost, recorder);
    await walkAutomation(recorder, agentId);
    await walkDocuments(recorder);
    await walkMcp(recorder, agentId);
    await walkChannels(recorder, agentId, telegram);
    await walkWebhooks(recorder, agentId);
    expect(recorder.missing().sort()).toEqual(WITHOUT_EXAMPLE);
    if (process.env['UPDATE_EXAMPLES'] === '1')
      writeFileSync(
        FILE,
        await format(JSON.stringify(recorder.seen), { ...(await resolveConfig(FILE)), filepath: FILE }),
      );
    const kept = JSON.parse(readFileSync(FILE, 'utf8')) as Recorded;
    expect(differences(recorder.seen, kept)).toEqual([]);
  });
});
