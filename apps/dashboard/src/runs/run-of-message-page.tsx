import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Navigate } from '@tanstack/react-router';
import { roost } from '../api/roost.js';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { runsKey } from './runs.js';

const route = getRouteApi('/app/agents/$agentId/messages/$messageId/run');

/** Leads from a message to the run that answers it. */
export function RunOfMessagePage() {
  const { agentId, messageId } = route.useParams();
  const { data, error, refetch } = useQuery({
    queryKey: [...runsKey(agentId), 'of', messageId],
    queryFn: ({ signal }) => roost.agent(agentId).messages.get(messageId, { signal }),
  });
  if (data?.run_id)
    return <Navigate to="/agents/$agentId/runs/$runId" params={{ agentId, runId: data.run_id }} replace />;
  return (
    <div className="mx-auto max-w-6xl p-4 sm:p-6">
      {error && <ErrorNote error={error} title="The message cannot be found" onRetry={() => void refetch()} />}
      {!data && !error && <Skeletons count={3} className="h-32" />}
      {data && (
        <Empty
          icon="activity"
          title={data.message.status === 'pending' ? 'No run answers it yet' : 'Its run is not kept any more'}
          action={
            <Link to="/agents/$agentId/runs" params={{ agentId }} className={buttonClass()}>
              To the runs
            </Link>
          }
        >
          {data.message.status === 'pending'
            ? 'The message waits. This page goes on to its run when that begins.'
            : 'Runs are kept for 90 days after they ended, unless the operator sets another time.'}
        </Empty>
      )}
    </div>
  );
}
