import { expect, it } from 'vitest';
import type { McpTool } from './mcp-connection.js';
import { unusableTools, usableTool } from './usable-tool.js';

const broken = (name: string) => ({ name, inputSchema: 'none' }) as unknown as McpTool;

it('names at most ten tools that cannot be used, however they are named', () => {
  expect(unusableTools([])).toBeNull();
  expect(unusableTools([broken('a\0b\u202e')])).toBe('left out: a\\u{0}b\\u{202e} (its input schema is no object)');
  const many = unusableTools(Array.from({ length: 500 }, (_, n) => broken(`${n}`.repeat(1_000)))) ?? '';
  expect(many).toMatch(/ and 490 more$/);
  expect(many.length).toBeLessThan(2_000);
});

it('is not ended by a schema that has more levels than the stack', () => {
  const deep: unknown = JSON.parse(`${'{"items":'.repeat(100_000)}{}${'}'.repeat(100_000)}`);
  expect(usableTool({ name: 'deep', inputSchema: deep })).toEqual({ problem: 'its input schema is nested too deeply' });
});
