import type { Approval } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { Time } from '../components/time.js';
import { approvalQuery } from './approvals.js';
import { deciderText } from './approval-words.js';
import { ArgumentsView } from './arguments-view.js';
import { ExactText } from './exact-text.js';
import { QuestionForm } from './question-form.js';
import { QuestionView } from './question-view.js';
import { DecisionForm } from './decision-form.js';

/** The arguments as they would be carried out, and the decision: the one that is to be made, or that was. */
export function ApprovalBody({ approval: listed, onDecided }: { approval: Approval; onDecided?: () => void }) {
  const { data, error, refetch } = useQuery(approvalQuery(listed.id));
  const approval = data ?? listed;
  const { arguments: text, question } = approval;
  if (question)
    return (
      <div className="space-y-4">
        <QuestionView question={question} />
        {approval.status === 'pending' ? (
          <QuestionForm approval={approval} question={question} {...(onDecided && { onDecided })} />
        ) : (
          <Outcome approval={approval} />
        )}
      </div>
    );
  return (
    <div className="space-y-4">
      {text !== null && (
        <ArgumentsView label={approval.kind === 'credential' ? 'The request' : 'Arguments'} text={text} />
      )}
      {text === null && !error && <Skeletons count={1} className="h-40" />}
      {error && text === null && (
        <ErrorNote error={error} title="The arguments cannot be shown" onRetry={() => void refetch()} />
      )}
      {approval.status === 'pending'
        ? text !== null && <DecisionForm approval={approval} text={text} {...(onDecided && { onDecided })} />
        : null}
      {approval.status !== 'pending' && <Outcome approval={approval} />}
    </div>
  );
}

const OUTCOMES = {
  allowed: 'It was allowed',
  answered: 'It was answered',
  denied: 'It was denied',
  expired: 'Nobody decided in time, which counts as denied',
  cancelled: 'It was cancelled',
};

function Outcome({ approval }: { approval: Approval }) {
  const { status, decided_by: by, decided_at: at, decision, message, edited_arguments: edited, answer } = approval;
  if (status === 'pending') return null;
  return (
    <div role="status" className="space-y-3 text-sm">
      <p>
        {OUTCOMES[status]}
        {decision === 'allow_always' && ' always'}
        {by && <> by {deciderText(by)}</>}
        {at && (
          <>
            , <Time at={at} />
          </>
        )}
        .
      </p>
      {message && (
        <p dir="auto" className="wrap-anywhere text-soft">
          “{message}”
        </p>
      )}
      {answer !== null && (
        <ExactText label="Answer" text={typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2)} />
      )}
      {edited !== null && <ArgumentsView label="Arguments that were put in their place" text={edited} />}
    </div>
  );
}
