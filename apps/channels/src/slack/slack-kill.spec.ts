import { serve } from '#lib/rpc';
import { listAgentBots } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { freshBus, freshDatabase, SlackPlatform, until } from '#lib/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Channels1795570000000 } from '../migrations/channels-1795570000000.js';
import { Files1795580000000 } from '../migrations/files-1795580000000.js';

/** For `ROOST_FULL=1` alone: the suite has the same of Telegram. */
const REPLIES = 200;
const LOST_ANSWERS = 2;
const main = fileURLToPath(new URL('../../../../dist/apps/channels/src/main.js', import.meta.url));

describe.runIf(process.env['ROOST_FULL'])('two replicas of channels and Slack', () => {
  const agentId = newId();
  const accountId = newId();
  const children: ChildProcess[] = [];
  let slack: SlackPlatform;
  let app: ReturnType<SlackPlatform['addApp']>;
  let nats: Awaited<ReturnType<typeof freshBus>>;
  let postgres: Awaited<ReturnType<typeof freshDatabase>>;
  let rows: Database;
  let stopServing: () => Promise<void>;

  const startReplica = async () => {
    const env = {
      NATS_URL: nats.url,
      NATS_CREDS: nats.serviceCreds,
      DATABASE_URL: postgres.url,
      DATABASE_POOL_SIZE: '4',
    };
    const child = spawn(process.execPath, [main], {
      env: { PATH: process.env['PATH'], ...env, SLACK_API_BASE_URL: slack.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  };

  beforeAll(async () => {
    [postgres, nats, slack] = await Promise.all([freshDatabase(), freshBus('channels'), SlackPlatform.start()]);
    app = slack.addApp();
    const connection = await nats.connect();
    const { botToken, appToken, signingSecret } = app;
    const bot = { agentId, accountId, name: 'Robin', slackBotToken: { botToken, appToken, signingSecret } };
    serve(
      connection,
      listAgentBots,
      listAgentBots.subject,
      () => ({ bots: [bot] }),
      (error) => console.error(error),
    );
    stopServing = () => connection.close();
    rows = await Database.open({
      url: postgres.url,
      schema: 'channels',
      migrations: [Channels1795570000000, Files1795580000000],
      poolSize: 2,
    });
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rows.close();
    await stopServing();
    nats.release();
    await slack.stop();
    await postgres.drop();
  });

  it('shows each reply once when the one that sends them is killed in the middle', async () => {
    const first = await startReplica();
    await until('it is connected', () => slack.sockets.countOf(app.appToken) === 1);
    await startReplica();
    const [lease] = await rows.query<{ bot_id: string }>(`SELECT bot_id FROM connection_leases`);
    const botId = lease?.bot_id ?? '';
    await rows.query(
      `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, place)
       VALUES ($1, $2, $3, 'slack', $4, 'U7', 'D7')`,
      [newId(), accountId, agentId, botId],
    );
    // Some sends lose their answer too: nobody can know then whether the message is there.
    slack.faults['chat.postMessage'] = Array.from({ length: LOST_ANSWERS }, () => ({ drop: 'after' as const }));
    for (let n = 0; n < REPLIES; n++) {
      await rows.query(
        `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state)
         VALUES ($1, $2, 'slack', $3, 'D7', $4, 0, $5, 'pending')`,
        [accountId, agentId, botId, newId(), `reply ${n}.`],
      );
    }
    const shown = () => slack.shownIn('D7').map(({ text }) => text);
    await until('some are shown', () => shown().length > 20, { timeoutMs: 60_000 });
    first.kill('SIGKILL');
    await new Promise((resolve) => first.once('exit', resolve));
    const killedAt = Date.now();
    const before = shown().length;
    expect(before).toBeLessThan(REPLIES);
    await until('the other goes on', () => shown().length > before, { timeoutMs: 60_000 });
    const takeoverMs = Date.now() - killedAt;
    await until(
      'all are done or uncertain',
      async () => {
        const open = await rows.query(`SELECT 1 FROM deliveries WHERE state <> 'done' LIMIT 1`);
        return open.length === 0;
      },
      { timeoutMs: 90_000 },
    );
    console.log(`${before} shown before the kill, takeover after ${takeoverMs} ms`);
    expect(shown()).toEqual(Array.from({ length: REPLIES }, (_, n) => `reply ${n}.`));
    expect(slack.sockets.countOf(app.appToken)).toBe(1);
    // spec: channels.md. The lease is 10 s and looked at every 2.5 s; what was handed to the killed one comes after 30 s.
    expect(takeoverMs).toBeLessThan(25_000);
  });
});
