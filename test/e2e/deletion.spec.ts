import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyRow, type StoredRow } from '../every-row.js';

/** What keeps an agent from coming back with an event that is late: its id and that it is deleted, nothing else. */
const isTombstone = ({ table, text }: StoredRow) => table.endsWith('.agents') && text.includes('"status":"deleted"');

/**
 * What else may still name a deleted agent: the records of the deletion (a volume, what waits to be sent, and what a
 * turn writes late go only with them), events and their receipts until they are swept, the audit, the history of what was
 * sent to the user's systems, and sums of what it has used: they are the account's, which pays for them.
 */
const MAY_NAME_IT =
  /^(lifecycle|runtime|webhooks)\.deleted_agents$|^lifecycle\.usage_rollups$|\.(outbox|inbox|audit)$|^webhooks\.(deliveries|attempts|events)$/;

describe('deleting an agent', () => {
  let roost: TestRoost;
  beforeAll(async () => {
    roost = await startRoost({ env: { ROOST_DEFAULT_MODEL: 'demo' } });
  });
  afterAll(async () => roost?.stop());
  const post = async (path: string, body: object) => {
    const made = await roost.api<{ id: string; uuid: string }>('POST', path, body);
    expect(made.status, `${path}: ${JSON.stringify(made.body)}`).toBeLessThan(300);
    return made.body;
  };

  it('leaves nothing behind in any service: rows, volume, sandbox, bindings', async () => {
    const { id } = await post('/v1/agent/create', {
      name: 'short-lived',
      session_mode: 'persistent',
      initial_files: [{ path: 'a.txt', content: 'x' }],
      configuration: { custom_env: { A: 'b' }, mcp_servers: { own: { command: 'true' } } },
    });
    const keeper = (await post('/v1/agent/create', { name: 'stays' })).id;
    for (const agent of [id, keeper]) {
      await post(`/v1/agent/${agent}/schedules`, { name: 's', cron_expression: '0 9 * * *', message_template: 'x' });
      await post(`/v1/agent/${agent}/triggers`, { name: 't', message_template: 'x' });
      const server = await post('/v1/mcp/servers', { name: `tools-${agent === id}`, command: 'true' });
      await post(`/v1/mcp/servers/${server.id}/access`, { agent_id: agent });
    }
    const message = await post(`/v1/agent/${id}/messages`, { content: 'write hello to notes.txt' });
    const answered = await roost.api<{ replies: object[] }>('GET', `/v1/agent/${id}/messages/${message.id}?wait=60`);
    expect(answered.body.replies).toHaveLength(1);
    await post(`/v1/agent/${id}/telegram/link`, {}).catch(() => undefined);

    await post(`/v1/agent/delete/${id}`, {});
    const naming = async (agent: string) => {
      const rows = await everyRow(roost.databaseUrl);
      return [
        ...new Set(rows.filter((row) => row.text.includes(agent) && !isTombstone(row)).map(({ table }) => table)),
      ].sort();
    };
    const left = async () => (await naming(id)).filter((table) => !MAY_NAME_IT.test(table));
    await until('no row names it', async () => (await left()).length === 0).catch(() => undefined);
    expect(await left()).toEqual([]);
    expect((await naming(keeper)).length).toBeGreaterThan(4);
    await until('its volume is gone', () => !namesBelow(roost.dataDir).some((name) => name.includes(id)));
    expect(processesNaming(id)).toEqual([]);
    expect((await roost.api('GET', `/v1/agent/${id}`)).status).toBe(404);
  });
});

/** Folders of the data folder, three levels deep. */
function namesBelow(folder: string, depth = 3): string[] {
  if (depth === 0 || !existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => [
    entry.name,
    ...(entry.isDirectory() ? namesBelow(join(folder, entry.name), depth - 1) : []),
  ]);
}

function processesNaming(id: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(id);
      } catch {
        return false; // ended while we looked
      }
    });
}
