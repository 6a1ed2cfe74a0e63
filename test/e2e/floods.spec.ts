import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountCredentials } from '#lib/nats-auth';
import { newAccount, spawnRoost, temporaryFolder } from '#lib/testing';
import { describe, expect, it } from 'vitest';
import { watchProcesses } from '../hostile/watch-processes.js';

const FORGED = 'forged by an agent';
const MAX_RSS_BYTES = 1_000_000_000;
/** Each of the flooding commands ends after so long. */
const FLOOD_SECONDS = 2;

/**
 * Everything that a command can write to at once: each handle of each process that it sees, its own output without an
 * end of line, lines that look like the log's, tunnels to the proxy, and through it to the bus.
 */
const flood = (busPort: string) => `
line='{"level":60,"time":1,"service":"messaging","msg":"${FORGED}"}'
for handle in /proc/1/fd/* /proc/$PPID/fd/* /proc/[0-9]*/fd/2; do
  (printf '%s\\n' "$line" > $handle; timeout ${FLOOD_SECONDS} head -c 600000000 /dev/zero > $handle) 2> /dev/null &
done
for n in $(seq 200); do (exec 8<> /dev/tcp/127.0.0.1/3128; sleep ${FLOOD_SECONDS}) 2> /dev/null & done
(for n in 1 2 3 4 5; do head -c 20000000 /dev/zero | timeout 2 curl -s -p telnet://127.0.0.1:${busPort}; done) > /dev/null 2>&1 &
timeout ${FLOOD_SECONDS} perl -e 'print "$ARGV[0]\\n" while 1' "$line" &
timeout ${FLOOD_SECONDS} perl -e 'print STDERR "$ARGV[0]\\n" while 1' "$line" &
timeout ${FLOOD_SECONDS} head -c 600000000 /dev/zero
timeout ${FLOOD_SECONDS} head -c 600000000 /dev/zero >&2
wait; echo flooded`;

describe('an agent that floods whatever it can reach', () => {
  it("ends no process, fills no memory, forges no line of the log and delays nobody else's answer", async () => {
    const dataDir = temporaryFolder();
    const roost = await spawnRoost({ dataDir, env: { ROOST_DEFAULT_MODEL: 'demo' } });
    try {
      const read = (...path: string[]) => readFileSync(join(dataDir, 'nats', ...path), 'utf8').trim();
      const natsUrl = read('url');
      const natsCreds = await accountCredentials(read('credentials', 'account.seed'), 'test');
      const other = await newAccount({ url: roost.url, natsUrl, natsCreds });
      const agents = await Promise.all(
        [roost, other].map(({ api }) => api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' })),
      );
      const [hostile, good] = agents.map(({ body }) => `/v1/agent/${body.id}/messages`) as [string, string];
      const endWatch = watchProcesses(roost.pid);

      const sent = await roost.api<{ id: string }>('POST', hostile, {
        content: `run: ${flood(new URL(natsUrl).port)}`,
      });
      let isOver = false;
      const flooded = roost
        .api<{ replies: { content: string }[] }>('GET', `${hostile}/${sent.body.id}?wait=60`)
        .finally(() => (isOver = true));
      const slow: string[] = [];
      for (let n = 0; n === 0 || !isOver; n += 1) {
        const startedAt = performance.now();
        const asked = await other.api<{ id: string }>('POST', good, { content: 'hello', conversation_id: `c${n}` });
        const { body } = await other.api<{ replies: unknown[] }>('GET', `${good}/${asked.body.id}?wait=20`);
        expect(body.replies).toHaveLength(1);
        const tookMs = performance.now() - startedAt;
        if (tookMs > 10_000) slow.push(`message ${n}: ${Math.round(tookMs)} ms`);
      }
      expect(slow).toEqual([]);
      // The last part of what the command prints is kept.
      expect((await flooded).body.replies[0]?.content).toContain('flooded');

      const { ended, peakServicesBytes } = endWatch();
      expect(ended).toEqual([]);
      expect(peakServicesBytes).toBeGreaterThan(0);
      expect(peakServicesBytes).toBeLessThan(MAX_RSS_BYTES);
      const log = readFileSync(join(dataDir, 'logs', 'roost.log'), 'utf8');
      expect(log.length).toBeLessThan(5_000_000);
      const messages = log
        .split('\n')
        .flatMap((line) => (/^\{.*\}$/.test(line) ? [JSON.parse(line) as { msg?: string }] : []));
      expect(messages.length).toBeGreaterThan(0);
      expect(messages.filter(({ msg }) => msg === FORGED)).toEqual([]);
    } finally {
      await roost.stop();
    }
  });
});
