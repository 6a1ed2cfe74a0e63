import {
  explainPermissions,
  getVersion,
  type PermissionRule,
  type Permissions,
  rollBack,
  updateAgent,
} from '#lib/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '' });
});
afterAll(() => service.stop());

const deny = { tool: 'bash', action: 'deny' } as const;
const wrong: z.input<typeof Permissions> = {
  rules: [deny, { tool: 'bsh', arguments: { command: { regex: '(' }, path: { regex: 'a{1,9999}' } }, action: 'deny' }],
};
const DETAILS = [
  { field: 'configuration.permissions.rules.1.tool', reason: 'unknown_tool' },
  { field: 'configuration.permissions.rules.1.arguments.command.regex', reason: 'invalid_pattern' },
  { field: 'configuration.permissions.rules.1.arguments.path.regex', reason: 'invalid_pattern' },
];
const change = (agentId: string, permissions: object | null) =>
  service.ask(updateAgent, { agent_id: agentId, configuration: { permissions } });
const explain = (agentId: string, call: object, account?: string) =>
  service.ask(explainPermissions, { agent_id: agentId, tool: 'bash', ...call }, account);

describe('permissions', () => {
  it('are refused by field when an agent is made or changed with what could not be decided by', async () => {
    const refusal = { code: 'VALIDATION_ERROR', details: DETAILS };
    await expect(service.agent({ configuration: { permissions: wrong } })).rejects.toMatchObject(refusal);
    const { id } = await service.agent();
    await expect(change(id, wrong)).rejects.toMatchObject(refusal);
  });

  it('are replaced as a whole by a change, taken away by null, and brought back by a roll back', async () => {
    const { id } = await service.agent({ configuration: { permissions: { default: 'ask', rules: [deny] } } });
    const changed = await change(id, { unattended: 'deny' });
    expect(changed.configuration.permissions).toEqual({ unattended: 'deny' });
    expect((await change(id, null)).configuration.permissions).toBeUndefined();
    const { agent } = await service.ask(rollBack, { agent_id: id, version: 1 });
    expect(agent.configuration.permissions).toEqual({ default: 'ask', rules: [deny] });
    const { settings } = await service.ask(getVersion, { agent_id: id, version: 4 });
    expect(settings.configuration.permissions?.rules).toEqual([deny]);
  });

  it('are checked by a roll back as if they were set anew', async () => {
    const { id } = await service.agent({ configuration: { permissions: { rules: [deny] } } });
    await change(id, null);
    // As a version that an earlier Roost has taken.
    await service.rows.query(
      `UPDATE agent_versions SET settings = jsonb_set(settings::jsonb, '{configuration,permissions,rules,0,tool}', '"bsh"')::text
        WHERE agent_id = $1 AND version = 1`,
      [id],
    );
    const back = service.ask(rollBack, { agent_id: id, version: 1 });
    await expect(back).rejects.toMatchObject({ details: [{ field: 'configuration.permissions.rules.0.tool' }] });
  });

  it('say which rule answers for a call, and why those before it do not', async () => {
    const rules: PermissionRule[] = [
      { tool: 'mcp:github/*', action: 'allow' },
      { tool: 'bash', sources: ['slack'], action: 'deny' },
      { tool: 'bash', arguments: { command: 'git *' }, action: 'allow' },
      { tool: '*', action: 'ask' },
    ];
    const { id } = await service.agent({ configuration: { permissions: { rules, unattended: 'deny' } } });
    const call = { arguments: { command: 'rm x' } };
    await expect(explain(id, call)).resolves.toEqual({
      action: 'ask',
      rule: 3,
      unattended: false,
      reason: 'rules[3] (*) says ask',
      passedOver: [
        { rule: 0, because: 'tool', argument: null },
        { rule: 1, because: 'source', argument: null },
        { rule: 2, because: 'argument', argument: 'command' },
      ],
    });
    await expect(explain(id, { ...call, source: 'schedule' })).resolves.toMatchObject({
      action: 'deny',
      unattended: true,
    });
    await expect(explain(id, { arguments: { command: 'git log' } })).resolves.toMatchObject({
      action: 'allow',
      rule: 2,
    });
  });

  it('are tried before they are set', async () => {
    const { id } = await service.agent();
    await expect(explain(id, {})).resolves.toMatchObject({ action: 'allow', rule: null });
    await expect(explain(id, { permissions: { default: 'deny' } })).resolves.toMatchObject({
      action: 'deny',
      rule: null,
    });
    await expect(explain(id, { permissions: wrong })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'permissions.rules.1.tool' }, {}, {}],
    });
  });

  it('are those of the account alone', async () => {
    const { id } = await service.agent();
    await expect(explain(id, {}, randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
