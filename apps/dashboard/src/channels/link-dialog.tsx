import type { Platform } from '@roost-ai/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { CodeLine } from '../components/code.js';
import { Dialog } from '../components/dialog.js';
import { Badge, ErrorNote, Skeletons } from '../components/feedback.js';
import { Time } from '../components/time.js';
import { channelsKey, linksQuery } from './channels.js';
import { PLATFORMS } from './platforms.js';

interface LinkDialogProps {
  agentId: string;
  platform: Platform;
  onClose: () => void;
}

/** A code with which a person links themselves, and whether they have. */
export function LinkDialog({ agentId, platform, onClose }: LinkDialogProps) {
  const { label, where } = PLATFORMS[platform];
  const code = useQuery({
    queryKey: ['link-code', agentId, platform],
    queryFn: () => roost.agent(agentId).channels.link(platform),
    // Each one is of its own dialog.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const begun = code.data && code.dataUpdatedAt;
  const links = useQuery(linksQuery(agentId, platform, true));
  const linked = links.data?.bindings?.find(
    ({ created_at: at }) => begun !== undefined && Date.parse(at) >= begun - 5_000,
  );
  const client = useQueryClient();
  const linkedId = linked?.id;
  useEffect(() => {
    if (linkedId !== undefined) void client.invalidateQueries({ queryKey: channelsKey(agentId), exact: true });
  }, [client, agentId, linkedId]);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Link somebody on ${label}`}
      actions={
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className="space-y-4">
        {code.error && <ErrorNote error={code.error} title="There is no code" onRetry={() => void code.refetch()} />}
        {!code.data && !code.error && <Skeletons count={2} className="h-12" />}
        {code.data && (
          <>
            <p className="text-sm text-soft">Whoever is to talk to the agent sends this {where}:</p>
            <CodeLine code={`/link ${code.data.code}`} label="Command" />
            <p role="status" className="flex flex-wrap items-center gap-2 text-sm">
              {linked ? (
                <Badge tone="ok">Linked: say something to it there</Badge>
              ) : (
                <>
                  <Badge tone="accent">Waiting</Badge>
                  <span className="text-faint">
                    It works once, and expires <Time at={code.data.expires_at} />.
                  </span>
                </>
              )}
            </p>
          </>
        )}
      </div>
    </Dialog>
  );
}
