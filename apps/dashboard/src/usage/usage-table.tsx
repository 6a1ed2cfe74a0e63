import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { agentsQuery } from '../agents/agents.js';
import { Skeletons } from '../components/feedback.js';
import { visibleText } from '../components/visible-text.js';
import { sourceLabel } from '../runs/run-words.js';
import { longDate } from './period.js';
import { knownCostText, type UsageReport, type UsageRow } from './usage.js';

const NUMBER = 'py-2 pl-4 text-right whitespace-nowrap tabular-nums';
const count = (value: number) => value.toLocaleString('en');

/** A row for each agent, model, source or day, and what all come to. */
export function UsageTable({ report }: { report: UsageReport | undefined }) {
  if (!report) return <Skeletons count={4} className="h-9" />;
  const { rows, total, group_by: group } = report;
  return (
    <div role="region" aria-label="Usage in figures" tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-sm">
        <thead className="text-xs text-faint">
          <tr>
            <th scope="col" className="py-2 text-left font-medium">
              {group[0]?.toUpperCase()}
              {group.slice(1)}
            </th>
            {['Calls', 'Read', 'Written', 'Cost'].map((name) => (
              <th key={name} scope="col" className={`${NUMBER} font-medium`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-y border-line">
          {rows.map((row) => (
            <Figures key={row.agent_id ?? row.model ?? row.source ?? row.day} name={<RowName row={row} />} of={row} />
          ))}
        </tbody>
        <tfoot className="font-medium">
          <Figures name="Total" of={total} />
        </tfoot>
      </table>
    </div>
  );
}

function Figures({ name, of: row }: { name: ReactNode; of: UsageReport['total'] }) {
  return (
    <tr>
      <th scope="row" className="min-w-32 py-2 text-left font-medium wrap-anywhere">
        {name}
      </th>
      <td className={NUMBER}>{count(row.steps)}</td>
      <td className={NUMBER}>{count(row.input_tokens)}</td>
      <td className={NUMBER}>{count(row.output_tokens)}</td>
      <td className={NUMBER}>{knownCostText(row)}</td>
    </tr>
  );
}

function RowName({ row }: { row: UsageRow }) {
  const { data: agents } = useQuery(agentsQuery);
  if (row.day !== null) return longDate(row.day);
  if (row.source !== null) return sourceLabel(row.source);
  if (row.agent_id === null) return visibleText(row.model ?? 'unknown');
  const agent = agents?.find(({ id }) => id === row.agent_id);
  if (!agent) return <span className="font-mono text-xs text-soft">{row.agent_id}</span>;
  return (
    <Link to="/agents/$agentId/runs" params={{ agentId: agent.id }} className="hover:underline">
      {visibleText(agent.name)}
    </Link>
  );
}
