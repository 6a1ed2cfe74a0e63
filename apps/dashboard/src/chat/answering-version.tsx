import { type Conversation, NotFoundError } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { agentQuery } from '../agents/agents.js';
import { Button } from '../components/button.js';
import { Badge } from '../components/feedback.js';
import { toastError } from '../components/toasts.js';
import { versionQuery } from '../versions/versions.js';
import { usePin } from './use-pin.js';

const PinDialog = lazy(async () => ({ default: (await import('./pin-dialog.js')).PinDialog }));

interface AnsweringVersionProps {
  agentId: string;
  conversationId: string;
  /** Undefined until Roost lists it: whether it is pinned is not known then, and it cannot be. */
  conversation: Conversation | undefined;
  /** A version that answers what is sent from here. */
  tried: number | undefined;
  onStopTrying: () => void;
}

/** Says which version of its configuration the agent answers with: one that is tried, a pinned one or the present one. */
export function AnsweringVersion(props: AnsweringVersionProps) {
  const { agentId, conversationId, conversation, tried, onStopTrying } = props;
  const { data: agent } = useQuery(agentQuery(agentId));
  const [isChoosing, setChoosing] = useState(false);
  const pin = usePin(agentId, conversationId);
  const pinTo = (version: number | null) => pin.mutate(version, { onError: toastError });
  const pinned = conversation?.pinned_version ?? undefined;
  const named = tried ?? pinned;
  const answering = named ?? (conversation && agent?.version);
  return (
    <div className="mx-auto min-h-9 w-full max-w-3xl shrink-0 px-4 sm:px-6 3xl:max-w-4xl">
      {answering !== undefined && (
        <div role="group" aria-label="Which version answers" className="flex flex-wrap items-center gap-x-3 text-xs">
          <Answers agentId={agentId} version={answering} how={howOf(tried, pinned)} />
          {tried !== undefined && (
            <Button kind="quiet" onClick={onStopTrying}>
              Stop trying it
            </Button>
          )}
          {tried !== undefined && conversation && tried !== pinned && (
            <Button kind="quiet" isBusy={pin.isPending} onClick={() => pinTo(tried)}>
              Pin it here
            </Button>
          )}
          {tried === undefined && (
            <Button kind="quiet" onClick={() => setChoosing(true)}>
              {pinned === undefined ? 'Pin a version' : 'Pin another'}
            </Button>
          )}
          {tried === undefined && pinned !== undefined && (
            <Button kind="quiet" isBusy={pin.isPending} onClick={() => pinTo(null)}>
              Unpin
            </Button>
          )}
        </div>
      )}
      {isChoosing && answering !== undefined && (
        <Suspense>
          <PinDialog
            agentId={agentId}
            conversationId={conversationId}
            version={answering}
            onClose={() => setChoosing(false)}
          />
        </Suspense>
      )}
    </div>
  );
}

const HOW = {
  tried: ' answers what you send now.',
  pinned: ' answers here: it is pinned.',
  present: ', the present one, answers.',
};
type How = keyof typeof HOW;

function howOf(tried: number | undefined, pinned: number | undefined): How {
  if (tried !== undefined) return 'tried';
  return pinned === undefined ? 'present' : 'pinned';
}

function Answers({ agentId, version, how }: { agentId: string; version: number; how: How }) {
  // The present one is there, and no draft.
  const { data, error } = useQuery({ ...versionQuery(agentId, version), enabled: how !== 'present' });
  const isGone = error instanceof NotFoundError;
  return (
    <>
      {data?.is_draft && <Badge tone="warn">Draft</Badge>}
      <p className={isGone ? 'text-bad' : 'text-soft'}>
        <Link
          to="/agents/$agentId/versions/$version"
          params={{ agentId, version: String(version) }}
          className="text-accent underline underline-offset-2"
        >
          Version {version}
        </Link>
        {isGone ? ' is no longer kept: messages to it fail.' : HOW[how]}
      </p>
    </>
  );
}
