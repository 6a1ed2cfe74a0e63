import { describe, expect, it } from 'vitest';
import { drawn, faultsOf, MAX_ROWS, type PlanNode } from './check-plan.js';

const rowsOf = (table: string) => (table === 'messages' ? 10_000_000 : 3);
const node = (type: string, fields: Partial<PlanNode> = {}): PlanNode => ({
  'Node Type': type,
  'Actual Rows': 1,
  'Actual Loops': 1,
  ...fields,
});

describe('a plan', () => {
  it.each<[what: string, plan: PlanNode]>([
    ['looks rows up by an index', node('Index Scan', { 'Relation Name': 'messages', 'Actual Rows': 100 })],
    ['reads a small table whole', node('Seq Scan', { 'Relation Name': 'usage_state' })],
    ['has a part that was not carried out', node('Seq Scan', { 'Relation Name': 'messages', 'Actual Loops': 0 })],
    ['sorts a page', node('Sort', { 'Actual Rows': 100 })],
  ])('that %s is well', (_, plan) => expect(faultsOf(node('Limit', { Plans: [plan] }), rowsOf)).toEqual([]));

  it.each<[what: string, plan: PlanNode, fault: RegExp]>([
    [
      'a large table from its begin',
      node('Seq Scan', { 'Relation Name': 'messages' }),
      /reads messages from its begin/,
    ],
    [
      'rows that a filter then removes',
      node('Index Scan', {
        'Relation Name': 'messages',
        'Rows Removed by Filter': MAX_ROWS,
        'Index Name': 'messages_agent',
      }),
      /looks at 10001 rows of messages by messages_agent/,
    ],
    [
      'few rows again and again',
      node('Index Scan', { 'Relation Name': 'messages', 'Actual Rows': 3, 'Actual Loops': MAX_ROWS }),
      /looks at 30000 rows/,
    ],
    ['and sorts too many', node('Incremental Sort', { 'Actual Rows': MAX_ROWS + 1 }), /sorts 10001 rows/],
  ])('that reads %s is not', (_, plan, fault) => {
    const [found, ...others] = faultsOf(node('Limit', { Plans: [plan] }), rowsOf);
    expect(found).toMatch(fault);
    expect(others).toEqual([]);
  });

  it('is drawn with what it read', () => {
    const plan = node('Limit', {
      Plans: [node('Seq Scan', { 'Relation Name': 'messages', 'Rows Removed by Filter': 7 })],
    });
    expect(drawn(plan)).toBe('Limit: 1 rows × 1\n  Seq Scan messages: 1 rows × 1, 7 removed');
  });
});
