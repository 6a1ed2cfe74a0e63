import { type Approval, type ApprovalAnswer, type ApprovalDecision as Decision, ConflictError } from '@roost-ai/sdk';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';

export const approvalsKey = ['approvals'] as const;
/** What is counted in the navigation; more than these are listed page by page. */
export const MAX_COUNTED = 100;
const LOOK_AGAIN_MS = 10_000;

/** What waits for somebody, the newest first. */
export const pendingQuery = queryOptions({
  queryKey: [...approvalsKey, 'pending'],
  queryFn: ({ signal }) => roost.approvals.list({ status: 'pending' }, { signal }).toArray(MAX_COUNTED),
  refetchInterval: LOOK_AGAIN_MS,
});

/** With its whole arguments, which lists leave out when they are long. */
export const approvalQuery = (approvalId: string) =>
  queryOptions({
    queryKey: [...approvalsKey, approvalId],
    queryFn: ({ signal }) => roost.approvals.get(approvalId, { signal }),
    refetchInterval: ({ state }) => (state.data?.status === 'pending' ? LOOK_AGAIN_MS : false),
  });

/** Decides. Whoever was quicker is shown: of an error by the first decision all lists are read again, too. */
export function useDecide(approval: Approval) {
  const settled = useSettledApproval(approval);
  return useMutation({
    mutationFn: (decision: Decision) => roost.approvals.decide(approval.id, decision),
    onSuccess: (decided, { decision }) => {
      settled.show(decided);
      if (approval.kind === 'question') return;
      toast(decision === 'deny' ? `${approval.tool} is denied.` : `${approval.tool} is allowed.`);
    },
    onError: settled.refused,
    onSettled: settled.readAgain,
  });
}

/** Answers a question, as it is decided about a call. */
export function useAnswer(approval: Approval) {
  const settled = useSettledApproval(approval);
  return useMutation({
    mutationFn: (answer: ApprovalAnswer) => roost.approvals.answer(approval.id, answer),
    onSuccess: settled.show,
    onError: settled.refused,
    onSettled: settled.readAgain,
  });
}

function useSettledApproval(approval: Approval) {
  const client = useQueryClient();
  return {
    show: (decided: Approval) => {
      client.setQueryData(approvalQuery(approval.id).queryKey, (known) => ({
        ...decided,
        arguments: known?.arguments ?? decided.arguments,
      }));
      client.setQueryData(pendingQuery.queryKey, (all) => all?.filter(({ id }) => id !== approval.id));
    },
    refused: (error: Error) => {
      // What it was decided to be takes the place of the form.
      if (isDecidedAlready(error)) toastError(error);
    },
    readAgain: () => client.invalidateQueries({ queryKey: approvalsKey }),
  };
}

export const isDecidedAlready = (error: unknown): boolean => error instanceof ConflictError;

/** The arguments by name. Undefined: they are no object, or not there yet. */
export function argumentsOf(text: string | null): Record<string, unknown> | undefined {
  if (text === null) return undefined;
  const read: unknown = JSON.parse(text);
  return typeof read === 'object' && read !== null && !Array.isArray(read)
    ? (read as Record<string, unknown>)
    : undefined;
}
