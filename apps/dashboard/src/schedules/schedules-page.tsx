import type { Schedule } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { buttonClass } from '../components/button.js';
import { Badge, Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Toggle } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { OWN_ZONE, Time, timeIn } from '../components/time.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { CronWords } from './next-runs.js';
import { ScheduleMenu } from './schedule-menu.js';
import { schedulesQuery, useScheduleAction } from './schedules.js';

const route = getRouteApi('/app/agents/$agentId/schedules');

export function SchedulesPage() {
  const { agentId } = route.useParams();
  const { data: schedules, error, refetch } = useQuery(schedulesQuery(agentId));
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  return (
    <AgentPage
      title="Schedules"
      about="Messages that the agent gets by the clock, also those that it has scheduled itself."
      actions={schedules && schedules.length > 0 && <NewLink agentId={agentId} />}
    >
      {error && !schedules && (
        <ErrorNote error={error} title="The schedules cannot be listed" onRetry={() => void refetch()} />
      )}
      {!schedules && !error && <Skeletons count={4} className="h-[4.5rem]" />}
      {schedules?.length === 0 && <NoSchedules agentId={agentId} />}
      {schedules && schedules.length > 0 && (
        <ul
          ref={list}
          aria-label="Schedules"
          className="divide-y divide-line rounded-2xl border border-line bg-surface"
        >
          {schedules.map((schedule) => (
            <Row key={schedule.id} agentId={agentId} schedule={schedule} />
          ))}
        </ul>
      )}
    </AgentPage>
  );
}

const NewLink = ({ agentId }: { agentId: string }) => (
  <Link to="/agents/$agentId/schedules/new" params={{ agentId }} className={buttonClass('primary')}>
    <Icon name="plus" />
    New schedule
  </Link>
);

function Row({ agentId, schedule }: { agentId: string; schedule: Schedule }) {
  const { id, name, cron_expression: cron, timezone, enabled, next_run_at: nextRunAt } = schedule;
  const change = useScheduleAction(agentId);
  return (
    <li className="relative flex items-center gap-3 py-3 pr-3 pl-4 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas sm:gap-4 sm:pl-5">
      <div className="min-w-0 grow">
        <div className="flex flex-wrap items-center gap-x-2.5">
          {/* The whole row leads there. */}
          <Link
            to="/agents/$agentId/schedules/$scheduleId"
            params={{ agentId, scheduleId: id }}
            data-row
            className="line-clamp-2 font-medium wrap-anywhere after:absolute after:inset-0"
          >
            {visibleText(name)}
          </Link>
          {!enabled && <Badge tone="warn">Paused</Badge>}
        </div>
        <p className="text-sm text-soft">
          <CronWords cron={cron} /> <span className="text-faint">· {timezone}</span>
        </p>
        {nextRunAt && (
          <p className="text-xs text-faint tabular-nums sm:hidden">
            Next: {timeIn(nextRunAt, timezone)}, <Time at={nextRunAt} className="relative" />
          </p>
        )}
      </div>
      {nextRunAt && (
        <div className="hidden shrink-0 text-right text-sm sm:block">
          <p className="tabular-nums">
            <span className="text-faint">Next</span> {timeIn(nextRunAt, timezone)}
          </p>
          <p className="text-xs text-faint">
            <Time at={nextRunAt} className="relative" />
          </p>
        </div>
      )}
      <div className="relative flex items-center gap-1">
        <Toggle
          label={`${name} fires`}
          isOn={enabled}
          onChange={(isOn) => change.mutate({ kind: 'enable', schedule, enabled: isOn })}
        />
        <ScheduleMenu agentId={agentId} schedule={schedule} />
      </div>
    </li>
  );
}

function NoSchedules({ agentId }: { agentId: string }) {
  const { data: agent } = useQuery(agentQuery(agentId));
  return (
    <Empty
      icon="calendar-clock"
      title="Let it work by the clock"
      action={<NewLink agentId={agentId} />}
      code={`await roost.agent('${agentId}').schedules.create({\n  name: 'morning report',\n  cron_expression: '0 9 * * 1-5',\n  timezone: '${OWN_ZONE}',\n  message_template: 'It is {{date}}. Write the report.',\n});`}
      cli={`roost schedules create ${JSON.stringify(agent?.name ?? agentId)} "0 9 * * 1-5" "It is {{date}}. Write the report."`}
    >
      A schedule sends the agent a message each morning, each hour, or whenever a cron expression says. It may make some
      for itself, too: ask it to in the chat.
    </Empty>
  );
}
