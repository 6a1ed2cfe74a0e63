import { useQuery } from '@tanstack/react-query';
import { Icon } from '../components/icon.js';
import { Time } from '../components/time.js';
import { pendingQuery } from './approvals.js';
import { ApprovalBody } from './approval-body.js';
import { callText, titleOf } from './approval-words.js';

interface ChatApprovalsProps {
  agentId: string;
  conversationId: string;
}

/** What a conversation waits for, to be decided where it is talked about. */
export function ChatApprovals({ agentId, conversationId }: ChatApprovalsProps) {
  const pending = useQuery(pendingQuery).data ?? [];
  const shown = pending.filter(
    (approval) => approval.agent_id === agentId && approval.conversation_id === conversationId,
  );
  if (shown.length === 0) return null;
  return (
    <ul
      aria-label="Waiting for your approval"
      className="mx-auto max-h-[60dvh] w-full max-w-3xl shrink-0 space-y-2 overflow-y-auto px-4 pb-3 sm:px-6 3xl:max-w-4xl"
    >
      {shown.map((approval, index) => (
        <li key={approval.id} className="rounded-xl border border-warn/60 bg-surface">
          <details open={index === 0}>
            <summary className="flex min-h-11 items-center gap-2.5 rounded-xl px-3 text-sm">
              <Icon name="shield" className="text-warn" />
              <span className="shrink-0 font-medium">{titleOf(approval)}</span>
              <span className="min-w-0 grow truncate font-mono text-xs text-soft">{callText(approval)}</span>
              <span className="text-xs text-faint">
                expires <Time at={approval.expires_at} />
              </span>
            </summary>
            <div className="border-t border-line p-3">
              <ApprovalBody approval={approval} />
            </div>
          </details>
        </li>
      ))}
    </ul>
  );
}
