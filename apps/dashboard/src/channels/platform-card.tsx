import type { Channel, Platform } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Badge } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Section } from '../components/page.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { Bindings } from './bindings.js';
import { channelsKey } from './channels.js';
import { LinkDialog } from './link-dialog.js';
import { PLATFORMS } from './platforms.js';
import { TokenForm } from './token-form.js';

const HEALTH = {
  connected: { tone: 'ok', label: 'Connected' },
  connecting: { tone: 'accent', label: 'Connecting' },
  failed: { tone: 'bad', label: 'Failed' },
  not_configured: { tone: 'neutral', label: 'Not set up' },
} as const;

interface PlatformCardProps {
  agentId: string;
  platform: Platform;
  channel: Channel;
  isLinking: boolean;
  onLinking: (isLinking: boolean) => void;
}

/** One platform: how its bot is, who is linked, and how both begin. */
export function PlatformCard({ agentId, platform, channel, isLinking, onLinking }: PlatformCardProps) {
  const { label, icon } = PLATFORMS[platform];
  const { health, health_reason: reason, linked } = channel;
  const { tone, label: said } = HEALTH[health];
  const isSetUp = health !== 'not_configured';
  return (
    <Section
      title={
        <span className="flex items-center gap-2.5">
          <Icon name={icon} className="text-soft" />
          {label}
          <Badge tone={tone}>{said}</Badge>
        </span>
      }
      actions={
        isSetUp && (
          <div className="flex gap-2">
            {linked && <Unlink agentId={agentId} platform={platform} />}
            <Button kind={linked ? 'plain' : 'primary'} icon="link" onClick={() => onLinking(true)}>
              Link somebody
            </Button>
          </div>
        )
      }
    >
      <div className="space-y-4">
        {reason && isSetUp && <p className="text-sm wrap-anywhere text-bad">{visibleText(reason)}</p>}
        {linked && <Bindings agentId={agentId} platform={platform} />}
        {!linked && isSetUp && <p className="text-sm text-soft">Nobody is linked: the bot answers only who is.</p>}
        <details open={health === 'failed' || undefined} className="text-sm">
          <summary className="py-1 font-medium">{isSetUp ? 'Change the bot' : `Set up a bot for ${label}`}</summary>
          <div className="pt-3">
            <TokenForm agentId={agentId} platform={platform} />
          </div>
        </details>
      </div>
      {isLinking && <LinkDialog agentId={agentId} platform={platform} onClose={() => onLinking(false)} />}
    </Section>
  );
}

function Unlink({ agentId, platform }: { agentId: string; platform: Platform }) {
  const { label } = PLATFORMS[platform];
  const [asked, setAsked] = useState(false);
  const client = useQueryClient();
  const unlink = useMutation({
    mutationFn: () => roost.agent(agentId).channels.unlink(platform),
    onSuccess: () => {
      toast(`Nobody is linked on ${label} any more.`);
      setAsked(false);
    },
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: channelsKey(agentId) }),
  });
  return (
    <>
      <Button kind="quiet" onClick={() => setAsked(true)}>
        Unlink all
      </Button>
      <Confirm
        isOpen={asked}
        onClose={() => setAsked(false)}
        onConfirm={() => unlink.mutate()}
        title={`Unlink everybody on ${label}?`}
        action="Unlink all"
        isBusy={unlink.isPending}
      >
        The bot answers them no more until they link themselves again. Conversations stay.
      </Confirm>
    </>
  );
}
