import type { Schedule } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { AgentPage } from '../agents/agent-page.js';
import { roost } from '../api/roost.js';
import { Executions } from '../automation/executions.js';
import { BackLink } from '../components/back-link.js';
import { Button, buttonClass } from '../components/button.js';
import { CodeBlock } from '../components/code.js';
import { Facts } from '../components/facts.js';
import { Badge, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { visibleText } from '../components/visible-text.js';
import { CronWords, NextRuns } from './next-runs.js';
import { ScheduleMenu } from './schedule-menu.js';
import { scheduleKey, scheduleQuery, useScheduleAction } from './schedules.js';

const route = getRouteApi('/app/agents/$agentId/schedules/$scheduleId');

/** One schedule: when it fires next, what it asks, and what became of it so far. */
export function SchedulePage() {
  const { agentId, scheduleId } = route.useParams();
  const { data: schedule, error, refetch } = useQuery(scheduleQuery(agentId, scheduleId));
  return (
    <AgentPage
      title={schedule ? visibleText(schedule.name) : 'Schedule'}
      about={schedule && <CronWords cron={schedule.cron_expression} />}
      back={
        <BackLink to="/agents/$agentId/schedules" params={{ agentId }}>
          Schedules
        </BackLink>
      }
      actions={schedule && <Actions agentId={agentId} schedule={schedule} />}
    >
      {error && !schedule && (
        <ErrorNote error={error} title="This schedule cannot be shown" onRetry={() => void refetch()} />
      )}
      {!schedule && !error && <Skeletons count={3} className="h-48" />}
      {schedule && <Details agentId={agentId} schedule={schedule} />}
    </AgentPage>
  );
}

function Actions({ agentId, schedule }: { agentId: string; schedule: Schedule }) {
  const change = useScheduleAction(agentId);
  const { enabled } = schedule;
  return (
    <>
      <Button
        icon={enabled ? 'pause' : 'play'}
        onClick={() => change.mutate({ kind: 'enable', schedule, enabled: !enabled })}
      >
        {enabled ? 'Pause' : 'Resume'}
      </Button>
      <Button
        kind="primary"
        icon="zap"
        isBusy={change.isPending && change.variables.kind === 'run'}
        onClick={() => change.mutate({ kind: 'run', schedule })}
      >
        Run now
      </Button>
      <ScheduleMenu agentId={agentId} schedule={schedule} />
    </>
  );
}

function Details({ agentId, schedule }: { agentId: string; schedule: Schedule }) {
  const { status } = route.useSearch();
  const navigate = route.useNavigate();
  const { id, cron_expression: cron, timezone, enabled, message_template: message } = schedule;
  return (
    // On a small screen the next times come first, and the settings last.
    <div className="flex flex-col gap-5 lg:grid lg:grid-cols-[minmax(0,1fr)_22rem] lg:items-start">
      <div className="contents lg:order-last lg:block lg:space-y-5">
        <div className="order-first">
          <Section title="Next times" about={timezone}>
            {enabled ? (
              <NextRuns agentId={agentId} cron={cron} timezone={timezone} />
            ) : (
              <p className="text-sm text-soft">
                <Badge tone="warn">Paused</Badge> It fires no more until it is resumed.
              </p>
            )}
          </Section>
        </div>
        <div className="order-last">
          <Section title="Settings">
            <Facts
              facts={{
                'Cron expression': <code className="font-mono">{cron}</code>,
                'Fired last': schedule.last_run_at ? <Time at={schedule.last_run_at} /> : 'Not yet',
                'While the agent is busy': schedule.queue_mode === 'collect' ? 'Waits' : 'Interrupts it',
                'While the time before goes on': schedule.overlap === 'queue' ? 'Sends it anyway' : 'Leaves it out',
                'After Roost was down': CATCH_UP[schedule.catch_up],
                Made: <Time at={schedule.created_at} />,
              }}
            />
          </Section>
        </div>
      </div>
      <div className="contents lg:block lg:space-y-5">
        <Section
          title="What the agent is asked"
          actions={
            <Link
              to="/agents/$agentId/chat"
              params={{ agentId }}
              search={{ conversation: `schedule:${id}` }}
              className={buttonClass('quiet')}
            >
              <Icon name="message-square" />
              Conversation
            </Link>
          }
        >
          <CodeBlock label="Message" text={visibleText(message)} />
        </Section>
        <Section title="History" about="Each firing, and what became of it. Kept for 30 days.">
          <Executions
            agentId={agentId}
            queryKey={scheduleKey(agentId, id)}
            list={(only, signal) =>
              roost.agent(agentId).schedules.executions(id, only ? { status: only } : {}, { signal })
            }
            status={status}
            timezone={timezone}
            onStatus={(next) => void navigate({ search: next ? { status: next } : {}, replace: true })}
            empty="It has not fired yet. Run it now to see what it does."
          />
        </Section>
      </div>
    </div>
  );
}

const CATCH_UP: Record<Schedule['catch_up'], string> = {
  latest: 'Makes up for the latest time',
  all: 'Makes up for all times',
  none: 'Leaves them out',
};
