import { newAccount, startRoost, type TestRoost } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Applied {
  differs: boolean;
  is_complete: boolean;
  objects: {
    kind: string;
    name: string;
    id: string | null;
    action: string;
    status: string;
    version: number | null;
    secret: string | null;
    changes: { field: string; from: unknown; to: unknown; is_secret: boolean }[];
    error: { code: string; message: string } | null;
  }[];
}
interface Refused {
  error: { code: string; message: string; details: { field?: string; reason: string }[] };
}

const team = (more: object = {}) => ({
  agents: {
    triager: {
      system_prompt: 'You sort issues.',
      configuration: { model: 'demo', timeout_seconds: 600, custom_env: { TOKEN: 'canary-1', MODE: 'test' } },
      schedules: {
        'morning report': { cron_expression: '0 9 * * 1-5', message_template: 'Report.', timezone: 'Europe/Berlin' },
      },
      triggers: { issues: { message_template: 'Issue: {{payload.issue.title}}' } },
      webhooks: { 'http://127.0.0.1:8099/hook': { events: ['message.completed'] } },
      ...more,
    },
    helper: { description: 'Helps' },
  },
});
const shown = ({ objects }: Applied) => objects.map(({ kind, name, action, status }) => [kind, name, action, status]);

describe('agents as documents', () => {
  let roost: TestRoost;
  beforeAll(async () => {
    roost = await startRoost();
  });
  afterAll(() => roost?.stop());

  const send = async <T = Applied>(body: object | string, query = '', status = 200, key = roost.apiKey): Promise<T> => {
    const isText = typeof body === 'string';
    const response = await fetch(`${roost.url}/v1/agents/apply${query}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': isText ? 'application/yaml' : 'application/json' },
      body: isText ? body : JSON.stringify(body),
    });
    const answer = (await response.json()) as T;
    expect(response.status, JSON.stringify(answer)).toBe(status);
    return answer;
  };
  const exported = async (id: string, accept = 'application/json') => {
    const headers = { authorization: `Bearer ${roost.apiKey}`, accept };
    const response = await fetch(`${roost.url}/v1/agent/${id}/export`, { headers });
    expect(response.status).toBe(200);
    return response;
  };
  const idOf = ({ objects }: Applied, name: string) => objects.find((object) => object.name === name)?.id ?? '';

  it('are compared, made, and then as they should be', async () => {
    const dry = await send(team(), '?dry_run=true');
    expect(shown(dry)).toEqual([
      ['agent', 'triager', 'create', 'planned'],
      ['schedule', 'morning report', 'create', 'planned'],
      ['trigger', 'issues', 'create', 'planned'],
      ['webhook', 'http://127.0.0.1:8099/hook', 'create', 'planned'],
      ['agent', 'helper', 'create', 'planned'],
    ]);
    expect((await roost.api<{ agents: [] }>('GET', '/v1/agent/list')).body.agents).toEqual([]);

    const made = await send(team());
    expect(made).toMatchObject({ dry_run: false, differs: true, is_complete: true });
    expect(made.objects.map(({ secret }) => secret?.slice(0, 4) ?? null)).toEqual([null, null, 'whs_', 'whse', null]);
    const again = await send(team());
    expect(again).toMatchObject({ differs: false, is_complete: true });
    expect(again.objects.map(({ id }) => id)).toEqual(made.objects.map(({ id }) => id));

    const agent = await roost.api<{ configuration: object; version: number }>(
      'GET',
      `/v1/agent/${idOf(made, 'triager')}`,
    );
    expect(agent.body).toMatchObject({ version: 1, configuration: { model: 'demo', custom_env: { TOKEN: '***' } } });
  });

  it('are changed field by field: what is not named stays, and secrets are not shown', async () => {
    const changed = team({ schedules: { 'morning report': { cron_expression: '0 8 * * 1-5' }, evening: undefined } });
    changed.agents.triager.configuration = { model: 'demo', custom_env: { TOKEN: 'canary-2' } } as never;
    const dry = await send(changed, '?dry_run=true');
    expect(
      dry.objects.flatMap(({ name, changes }) => changes.map((change) => [name, change.field, change.to])),
    ).toEqual([
      ['triager', 'configuration.custom_env.TOKEN', null],
      ['morning report', 'cron_expression', '0 8 * * 1-5'],
    ]);
    expect(JSON.stringify(dry)).not.toContain('canary');
    const done = await send(changed);
    expect(done.objects[0]).toMatchObject({ action: 'update', version: 2 });
    const versions = await roost.api<{ versions: object[] }>('GET', `/v1/agent/${idOf(done, 'triager')}/versions`);
    expect(versions.body.versions[0]).toMatchObject({
      note: 'applied from a document',
      changed: ['configuration.custom_env.TOKEN'],
    });
  });

  it('are exported so that nothing changes when that is applied, as JSON and as YAML, pruned or not', async () => {
    const id = idOf(await send(team(), '?dry_run=true'), 'triager');
    const document = (await (await exported(id)).json()) as ReturnType<typeof team>;
    expect(JSON.stringify(document)).not.toContain('canary');
    expect(document.agents.triager.configuration.custom_env).toEqual({
      TOKEN: { from_env: 'TRIAGER_TOKEN' },
      MODE: { from_env: 'TRIAGER_MODE' },
    });
    for (const prune of [false, true]) expect(await send({ ...document, prune })).toMatchObject({ differs: false });
    const response = await exported(id, 'application/yaml');
    expect(response.headers.get('content-type')).toContain('application/yaml');
    const yaml = await response.text();
    expect(yaml).toContain('triager:\n');
    expect(await send(`${yaml}prune: true\n`)).toMatchObject({ differs: false });
  });

  it('take away what a document does not name only where it says so, and never an agent', async () => {
    const less = { agents: { triager: { configuration: { model: 'demo' }, triggers: { issues: {} } } } };
    expect(await send(less)).toMatchObject({ differs: false });
    const dry = await send({ ...less, prune: true }, '?dry_run=true');
    expect(shown(dry)).toEqual([
      ['agent', 'triager', 'update', 'planned'],
      ['schedule', 'morning report', 'delete', 'planned'],
      ['trigger', 'issues', 'none', 'planned'],
      ['webhook', 'http://127.0.0.1:8099/hook', 'delete', 'planned'],
    ]);
    const done = await send({ ...less, prune: true });
    expect(done.objects.filter(({ action }) => action === 'delete').map(({ status }) => status)).toEqual([
      'done',
      'done',
    ]);
    const { body } = await roost.api<{ schedules: [] }>('GET', `/v1/agent/${idOf(done, 'triager')}/schedules`);
    expect(body.schedules).toEqual([]);
    const list = await roost.api<{ agents: { name: string }[] }>('GET', '/v1/agent/list');
    expect(list.body.agents.map(({ name }) => name).sort()).toEqual(['helper', 'triager']);
    expect(await send({ ...less, prune: true })).toMatchObject({ differs: false });
  });

  it('are refused whole where something cannot be, and nothing is made', async () => {
    const refusals: [object, number, string, RegExp][] = [
      [
        { fine: {}, odd: { schedules: { x: { cron_expression: 'never', message_template: 'a' } } } },
        400,
        'VALIDATION_ERROR',
        /^agents\.odd\.schedules\.x\.cron_expression: /,
      ],
      [
        { fine: {}, odd: { schedules: { x: { cron_expression: '@daily' } } } },
        400,
        'VALIDATION_ERROR',
        /^agents\.odd\.schedules\.x\.message_template: is required/,
      ],
      [
        { fine: {}, odd: { triggers: { x: { message_template: '{{nothing}}' } } } },
        400,
        'VALIDATION_ERROR',
        /^agents\.odd\.triggers\.x\.message_template/,
      ],
      [
        { fine: {}, odd: { webhooks: { 'http://10.0.0.1/': { events: ['*'] } } } },
        400,
        'VALIDATION_ERROR',
        /^agents\.odd\.webhooks\.http:\/\/10\.0\.0\.1\//,
      ],
      [
        { fine: {}, odd: { configuration: { mcp_servers: { a: { url: 'http://10.0.0.1/' } } } } },
        400,
        'VALIDATION_ERROR',
        /^agents\.odd\.configuration\.mcp_servers\.a\.url/,
      ],
      [
        { fine: {}, odd: { configuration: { custom_env: { A: { from_env: 'NOWHERE' } } } } },
        400,
        'VALIDATION_ERROR',
        /^agents\.odd\.configuration\.custom_env\.A: NOWHERE is not set/,
      ],
      [{ fine: {}, odd: { pvc_size: '1000Ti' } }, 400, 'VALIDATION_ERROR', /^agents\.odd\.pvc_size/],
      [{ fine: {}, odd: { colour: 'red' } }, 400, 'VALIDATION_ERROR', /colour/],
      [{ fine: {}, odd: { id: randomUUID() } }, 404, 'NOT_FOUND', /^agents\.odd\.id/],
      [{ fine: {}, triager: { if_version: 77 } }, 409, 'CONFLICT', /^agents\.triager\.if_version/],
      [
        Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, {}])),
        400,
        'VALIDATION_ERROR',
        /at most 50 agents/,
      ],
    ];
    for (const [agents, status, code, message] of refusals) {
      const { error } = await send<Refused>({ agents }, '', status);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    }
    const list = await roost.api<{ agents: { name: string }[] }>('GET', '/v1/agent/list');
    expect(list.body.agents.map(({ name }) => name)).not.toContain('fine');
  });

  it('are chosen by id where several have a name, which is then needed', async () => {
    const twins = await Promise.all(
      ['one', 'two'].map((description) =>
        roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'twin', description }),
      ),
    );
    const ids = twins.map(({ body: { id } }) => id);
    const { error } = await send<Refused>({ agents: { twin: { description: 'x' } } }, '', 409);
    for (const id of ids) expect(error.message).toContain(id);
    const done = await send({ agents: { twin: { id: ids[1], description: 'second' } } });
    expect(done.objects).toMatchObject([{ id: ids[1], action: 'update' }]);
    const renamed = await send({ agents: { sister: { id: ids[1] } } });
    expect(renamed.objects[0]?.changes).toMatchObject([{ field: 'name', from: 'twin', to: 'sister' }]);
    const { error: same } = await send<Refused>({ agents: { sister: {}, brother: { id: ids[1] } } }, '', 400);
    expect(same.details).toMatchObject([{ reason: 'same_agent' }]);
  });

  it('are made once when documents are applied at once, and no edit is lost', async () => {
    const document = {
      agents: { single: { schedules: { tick: { cron_expression: '@daily', message_template: 'a' } } } },
    };
    const all = await Promise.all(Array.from({ length: 6 }, () => send(document)));
    expect(all.filter(({ objects }) => objects[0]?.status === 'done' && objects[0].action === 'create')).toHaveLength(
      1,
    );
    for (const { objects } of all.filter(({ is_complete }) => !is_complete))
      expect(objects).toMatchObject([{ error: { code: 'CONFLICT' } }, { kind: 'schedule', status: 'skipped' }]);
    const settled = await send(document);
    expect(settled).toMatchObject({ differs: false });
    const { body } = await roost.api<{ schedules: object[] }>('GET', `/v1/agent/${idOf(settled, 'single')}/schedules`);
    expect(body.schedules).toHaveLength(1);

    const id = idOf(settled, 'single');
    const edits = Array.from({ length: 5 }, (_, n) =>
      roost.api('POST', `/v1/agent/update/${id}`, { description: `edit ${n}` }),
    );
    const applies = Array.from({ length: 5 }, (_, n) => send({ agents: { single: { system_prompt: `prompt ${n}` } } }));
    await Promise.all([...edits, ...applies]);
    const agent = await roost.api<{ description: string; system_prompt: string | null }>('GET', `/v1/agent/${id}`);
    expect(agent.body.description).toMatch(/^edit \d$/);
    const done = (await Promise.all(applies)).filter(({ is_complete }) => is_complete);
    expect(done.length === 0 || /^prompt \d$/.test(agent.body.system_prompt ?? '')).toBe(true);
  });

  it('of another account are neither seen nor touched', async () => {
    const other = await newAccount(roost);
    const made = await send({ agents: { triager: {} } }, '', 200, other.apiKey);
    expect(made.objects).toMatchObject([{ action: 'create' }]);
    const id = idOf(await send({ agents: { triager: {} } }), 'triager');
    await send<Refused>({ agents: { x: { id } } }, '', 404, other.apiKey);
  });

  it('are bounded: bytes, aliases, content types', async () => {
    const large = { agents: { a: { system_prompt: 'x'.repeat(100_000) } }, filler: 'x'.repeat(2 * 2 ** 20) };
    await send<Refused>(large, '', 413);
    await send<Refused>(`agents: {}\nfiller: "${'x'.repeat(2 * 2 ** 20)}"`, '', 413);
    await send<Refused>('a: &a [x]\nb: &b [*a, *a]\nagents: [*b', '', 400);
    const response = await fetch(`${roost.url}/v1/agents/apply`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${roost.apiKey}`, 'content-type': 'text/plain' },
      body: 'agents: {}',
    });
    expect(response.status).toBe(415);
  });

  it('say which secrets of the vault an agent may use, by name', async () => {
    const document = (vault: object, more: object = {}) => ({ agents: { keeper: { vault } }, ...more });
    const unknown = await send<Refused>(document({ forge: {} }), '', 400);
    expect(unknown.error.details).toMatchObject([{ field: 'agents.keeper.vault.forge', reason: 'not_found' }]);
    for (const name of ['forge', 'other'])
      await roost.api('POST', '/v1/vault/secrets', {
        ...{ name, hosts: [`${name}.example.com`] },
        credential: { kind: 'bearer', token: 'canary-of-the-vault' },
      });
    const wanted = { forge: { env_name: 'FORGE_TOKEN', ask: true }, other: {} };
    const made = await send(document(wanted));
    expect(shown(made).slice(1)).toEqual([
      ['grant', 'forge', 'create', 'done'],
      ['grant', 'other', 'create', 'done'],
    ]);
    const id = idOf(made, 'keeper');
    const grants = async () =>
      (
        await roost.api<{ grants: { id: string; secret: string; env_name: string; ask: boolean }[] }>(
          'GET',
          `/v1/agent/${id}/vault/grants`,
        )
      ).body.grants;
    await expect(grants()).resolves.toMatchObject([
      { secret: 'forge', env_name: 'FORGE_TOKEN', ask: true },
      { secret: 'other', env_name: null, ask: false },
    ]);
    expect(await send(document(wanted))).toMatchObject({ differs: false });
    const written = (await (await exported(id)).json()) as { agents: { keeper: { vault: object } } };
    expect(written.agents.keeper.vault).toEqual({ ...wanted, other: { env_name: null, ask: false } });

    // Whether it asks is changed in place; another variable is another grant; nothing goes unless it is said.
    const [before] = await grants();
    await send(document({ forge: { ask: false } }));
    expect((await grants())[0]).toMatchObject({ id: before?.id, env_name: 'FORGE_TOKEN', ask: false });
    await send(document({ forge: { env_name: 'TOKEN' } }));
    expect(await grants()).toContainEqual(expect.objectContaining({ secret: 'forge', env_name: 'TOKEN' }));
    await send({ agents: { keeper: {} }, prune: true });
    expect(await grants()).toHaveLength(2);
    const pruned = await send(document({ other: {} }, { prune: true }));
    expect(shown(pruned)).toContainEqual(['grant', 'forge', 'delete', 'done']);
    await expect(grants()).resolves.toMatchObject([{ secret: 'other' }]);

    // What cannot be made is reported beside what was, wherever it stands.
    await send(document({}, { prune: true }));
    for (const wrong of ['forge', 'other']) {
      const right = wrong === 'forge' ? 'other' : 'forge';
      const partly = await send(document({ forge: {}, other: {}, [wrong]: { env_name: 'LD_PRELOAD' } }));
      expect(partly).toMatchObject({ is_complete: false });
      expect(shown(partly)).toContainEqual(['grant', wrong, 'create', 'failed']);
      expect(shown(partly)).toContainEqual(['grant', right, 'create', 'done']);
      await expect(grants()).resolves.toMatchObject([{ secret: right }]);
      await send(document({}, { prune: true }));
    }
  });
});
