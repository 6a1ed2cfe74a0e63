import { NotFoundError, type RunDetails } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Button, buttonClass } from '../components/button.js';
import { compactCount, costText, durationText } from '../components/amounts.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { useTitle } from '../components/page.js';
import { Time } from '../components/time.js';
import { useNow } from '../components/use-now.js';
import { RunOverview } from './run-overview.js';
import { RunStatusBadge } from './run-status.js';
import { isOpen, sourceLabel, stepKey, tookMs } from './run-words.js';
import { runQuery, useCancelRun } from './runs.js';
import { StepDetail } from './step-detail.js';
import { Waterfall } from './waterfall.js';

const route = getRouteApi('/app/agents/$agentId/runs/$runId');

/** One run: what happened when on the left, what was chosen of it on the right. */
export function RunPage() {
  const { agentId, runId } = route.useParams();
  const { step: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: run, error, refetch } = useQuery(runQuery(agentId, runId));
  useTitle('Run');
  if (!run) {
    if (error instanceof NotFoundError) return <Gone agentId={agentId} />;
    return (
      <div className="mx-auto max-w-6xl p-4 sm:p-6 3xl:max-w-7xl">
        {error ? (
          <ErrorNote error={error} title="This run cannot be shown" onRetry={() => void refetch()} />
        ) : (
          <Skeletons count={3} className="h-32" />
        )}
      </div>
    );
  }
  const step = run.steps.find((each) => stepKey(each) === chosen);
  const choose = (key: string | undefined) => void navigate({ search: key ? { step: key } : {}, replace: true });
  return (
    <div className="flex flex-col lg:h-full">
      <RunHeader agentId={agentId} run={run} />
      <div className="grid min-h-0 grow lg:grid-cols-[minmax(22rem,5fr)_minmax(20rem,4fr)] lg:grid-rows-[minmax(0,1fr)]">
        <div className="max-h-[55dvh] min-w-0 overflow-y-auto border-b border-line lg:max-h-none lg:border-r lg:border-b-0">
          <Waterfall run={run} chosen={step && chosen} onChoose={choose} />
        </div>
        <section aria-label="Detail" tabIndex={0} className="min-w-0 overflow-y-auto p-4 sm:p-6">
          {step ? (
            <StepDetail step={step} runStartedAt={run.started_at} />
          ) : (
            <RunOverview agentId={agentId} run={run} />
          )}
        </section>
      </div>
    </div>
  );
}

function RunHeader({ agentId, run }: { agentId: string; run: RunDetails }) {
  const now = useNow(isOpen(run.status) ? 500 : undefined);
  const cancel = useCancelRun(agentId);
  const { usage } = run;
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-2.5 sm:px-6">
      <Link to="/agents/$agentId/runs" params={{ agentId }} className={buttonClass('quiet')}>
        <Icon name="chevron-left" />
        Runs
      </Link>
      <h2 className="flex items-center gap-2.5 font-semibold">
        <span className="sr-only">Run:</span>
        <RunStatusBadge status={run.status} isStopping={run.cancel_requested} />
      </h2>
      <dl className="flex grow flex-wrap items-baseline gap-x-4 gap-y-1 text-sm text-soft tabular-nums">
        <Fact label="Began">
          <Time at={run.started_at} />
        </Fact>
        <Fact label="Took">{durationText(tookMs(run, now))}</Fact>
        <Fact label="By">{sourceLabel(run.source)}</Fact>
        <Fact label="Tokens">
          {compactCount(usage.input_tokens)} in, {compactCount(usage.output_tokens)} out
        </Fact>
        <Fact label="Cost">{costText(usage.cost_usd)}</Fact>
      </dl>
      {isOpen(run.status) && (
        <Button
          icon="circle-stop"
          isBusy={cancel.isPending}
          disabled={run.cancel_requested}
          onClick={() => cancel.mutate(run.id)}
        >
          Cancel the run
        </Button>
      )}
    </header>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className="flex gap-1.5">
      <dt className="text-faint">{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Gone({ agentId }: { agentId: string }) {
  return (
    <Empty
      icon="activity"
      title="There is no such run"
      action={
        <Link to="/agents/$agentId/runs" params={{ agentId }} className={buttonClass('primary')}>
          To its runs
        </Link>
      }
    >
      Runs are kept for 90 days after they ended, unless the operator sets another time.
    </Empty>
  );
}
