import type { ToolSet } from 'ai';
import { describe, expect, it } from 'vitest';
import { CallRefused, PermissionGate } from './gate.js';
import { permittedTools } from './permitted-tools.js';

const asking = () => new PermissionGate({ rules: [{ tool: 'bash', action: 'ask' }] }, 'api', new Map());
const run = (gate: PermissionGate, input: object, toolCallId = 'call-1') => {
  const tools = permittedTools({ bash: { execute: (given: object) => ({ ran: given }) } } as unknown as ToolSet, gate);
  return tools['bash']?.execute?.(input, { toolCallId, messages: [], context: undefined } as never) as unknown;
};

describe('a call that a person has to allow', () => {
  it('is not run unasked', () => {
    expect(() => run(asking(), { command: 'ls' })).toThrow(CallRefused);
  });

  it('is run once it is allowed, with just the arguments that were shown', () => {
    const gate = asking();
    gate.approve('call-1', { tool: 'bash', arguments: { command: 'ls' } });
    expect(run(gate, { command: 'ls' })).toEqual({ ran: { command: 'ls' } });
    expect(() => run(gate, { command: 'rm' })).toThrow(CallRefused);
    expect(() => run(gate, { command: 'ls' }, 'call-2')).toThrow(CallRefused);
  });

  it('is not run where it is denied by now', () => {
    const gate = new PermissionGate({ default: 'deny' }, 'api', new Map());
    gate.approve('call-1', { tool: 'bash', arguments: { command: 'ls' } });
    expect(() => run(gate, { command: 'ls' })).toThrow('not allowed by your permissions');
  });
});
