import type { KnownBlock } from '@slack/web-api';
import { z } from 'zod';
import type { CardButton, InboundMessage } from '../adapters/channel-adapter.js';
import { pressId, pressOfId } from '../adapters/press-id.js';
import { escapeSlack, visibleInSlack } from './slack-mrkdwn.js';

const STYLES: Partial<Record<CardButton['decision'], 'danger' | 'primary'>> = { deny: 'danger', allow_once: 'primary' };

/** https://docs.slack.dev/reference/block-kit/blocks/actions-block */
export function blocksOf(part: string, buttons: CardButton[], isPlain = false): KnownBlock[] {
  const text = isPlain
    ? ({ type: 'plain_text', text: escapeSlack(visibleInSlack(part)) } as const)
    : ({ type: 'mrkdwn', text: part, verbatim: true } as const);
  const elements = buttons.map((button) => ({
    type: 'button' as const,
    text: { type: 'plain_text' as const, text: button.label },
    action_id: `approval_${button.decision}`,
    value: pressId(button),
    ...(STYLES[button.decision] ? { style: STYLES[button.decision] } : {}),
  }));
  return [
    { type: 'section', text },
    { type: 'actions', elements },
  ];
}

const BlockActions = z.looseObject({
  type: z.literal('block_actions'),
  trigger_id: z.string(),
  response_url: z.string(),
  user: z.looseObject({ id: z.string(), username: z.string().optional(), team_id: z.string().optional() }),
  channel: z.looseObject({ id: z.string() }),
  message: z.looseObject({ thread_ts: z.string().optional() }).optional(),
  actions: z.array(z.looseObject({ value: z.string().optional() })).min(1),
});

/** A press of one of our buttons, or undefined for any other interaction. */
export function pressOf(body: unknown): InboundMessage | undefined {
  const payload = BlockActions.safeParse(body);
  const press = pressOfId(payload.data?.actions[0]?.value);
  if (!payload.success || !press) return undefined;
  const { channel, message, response_url: answerTo, trigger_id: trigger, user } = payload.data;
  const thread = message?.thread_ts;
  return {
    eventId: `press:${trigger}`,
    place: thread === undefined ? channel.id : `${channel.id}/${thread}`,
    isDirect: channel.id.startsWith('D'),
    isAddressed: true,
    sender: {
      id: user.id,
      username: user.username ?? null,
      displayName: user.username ?? user.id,
      ...(user.team_id === undefined ? {} : { teamId: user.team_id }),
    },
    text: '',
    files: [],
    press,
    answerTo,
  };
}
