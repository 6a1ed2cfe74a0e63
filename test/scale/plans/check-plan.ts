/** A node of a plan as EXPLAIN (ANALYZE, FORMAT JSON) gives it, of those fields that are read. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Schema?: string;
  'Index Name'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Rows Removed by Join Filter'?: number;
  Plans?: PlanNode[];
}

/** Rows that one node of a statement may look at, and that one sort may get: ten pages of the longest list. */
export const MAX_ROWS = 10_000;
/** A table of more rows is never read without an index. */
const BIG_TABLE = 10_000;

/** What of a plan grows with the tables and not with what is asked for; nothing when all is well. */
export function faultsOf(plan: PlanNode, rowsOf: (table: string) => number): string[] {
  const faults: string[] = [];
  const visit = (node: PlanNode) => {
    const type = node['Node Type'];
    const loops = node['Actual Loops'] ?? 0;
    const table = node['Relation Name'];
    const removed =
      (node['Rows Removed by Filter'] ?? 0) +
      (node['Rows Removed by Index Recheck'] ?? 0) +
      (node['Rows Removed by Join Filter'] ?? 0);
    const looked = Math.round(((node['Actual Rows'] ?? 0) + removed) * loops);
    if (type === 'Seq Scan' && table !== undefined && rowsOf(table) > BIG_TABLE && loops > 0)
      faults.push(`reads ${table} from its begin (${looked} rows)`);
    else if (table !== undefined && looked > MAX_ROWS)
      faults.push(`looks at ${looked} rows of ${table} by ${node['Index Name'] ?? type}`);
    else if (type.includes('Sort') && looked > MAX_ROWS) faults.push(`sorts ${looked} rows`);
    else if (looked > 10 * MAX_ROWS && table === undefined) faults.push(`${type} of ${looked} rows`);
    node.Plans?.forEach(visit);
  };
  visit(plan);
  return faults;
}

/** One line for people; only what is indented deserves a look. */
export function drawn(node: PlanNode, depth = 0): string {
  const what = [node['Node Type'], node['Relation Name'], node['Index Name'] && `by ${node['Index Name']}`];
  const removed = node['Rows Removed by Filter'];
  const line = `${'  '.repeat(depth)}${what.filter(Boolean).join(' ')}: ${node['Actual Rows'] ?? 0} rows × ${node['Actual Loops'] ?? 0}${removed ? `, ${removed} removed` : ''}`;
  return [line, ...(node.Plans ?? []).map((child) => drawn(child, depth + 1))].join('\n');
}
