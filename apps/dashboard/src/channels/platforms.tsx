import type { Api, Platform } from '@roost-ai/sdk';
import type { ReactNode } from 'react';
import { CodeLine } from '../components/code.js';
import type { IconName } from '../components/icon-name.js';

/** A token that a platform gives, by the name under which Roost takes it. */
interface TokenField {
  name: string;
  label: string;
  placeholder: string;
  isOptional?: boolean;
}

interface PlatformGuide {
  label: string;
  icon: IconName;
  /** What is done there, step by step (docs/channels). */
  steps: ReactNode[];
  tokens: TokenField[];
  /** What is changed of the agent with these tokens. */
  change: (tokens: Record<string, string>) => Api.AgentsUpdateData['body'];
  /** How one begins to talk there. */
  where: string;
}

const External = ({ href, children }: { href: string; children: ReactNode }) => (
  <a href={href} target="_blank" rel="noreferrer" className="text-accent underline underline-offset-2">
    {children}
  </a>
);

const SLACK_MANIFEST = `display_information: { name: Roost agent }
features:
  app_home: { messages_tab_enabled: true, messages_tab_read_only_enabled: false }
  bot_user: { display_name: agent, always_online: true }
  slash_commands:
    - { command: /link, description: Talk to an agent, usage_hint: CODE, should_escape: false }
    - { command: /roost, description: 'unlink, status, stop, new, help', should_escape: false }
oauth_config:
  scopes:
    bot: [app_mentions:read, assistant:write, channels:history, chat:write, commands, files:read, files:write, groups:history, im:history, im:read, im:write, mpim:history, users:read]
settings:
  event_subscriptions: { bot_events: [app_mention, message.channels, message.groups, message.im, message.mpim] }
  socket_mode_enabled: true`;

export const PLATFORMS: Record<Platform, PlatformGuide> = {
  telegram: {
    label: 'Telegram',
    icon: 'send',
    steps: [
      <>
        Write to <External href="https://t.me/BotFather">@BotFather</External>: <code>/newbot</code>, and give it a
        name.
      </>,
      'Copy the token that it answers with.',
      <>
        For groups in which the agent is to read everything: <code>/setprivacy</code>, Disable.
      </>,
    ],
    tokens: [{ name: 'bot_token', label: 'Bot token', placeholder: '123456789:AA…' }],
    change: ({ bot_token: token = '' }) => ({ telegram_bot_token: token }),
    where: 'to the bot, in a direct message',
  },
  discord: {
    label: 'Discord',
    icon: 'messages-square',
    steps: [
      <>
        Open the <External href="https://discord.com/developers/applications">developer portal</External>, New
        Application, and give it the name that people will see.
      </>,
      'On the Bot page switch on Message Content Intent, press Reset Token and copy the token.',
      'On the OAuth2 page choose the scopes bot and applications.commands, and the permissions View Channels, Send Messages, Send Messages in Threads, Attach Files and Read Message History. Open the address at the bottom to add the bot to a server.',
    ],
    tokens: [{ name: 'bot_token', label: 'Bot token', placeholder: 'MTE…' }],
    change: ({ bot_token: token = '' }) => ({ discord_bot_token: token }),
    where: 'to the bot, in a direct message',
  },
  slack: {
    label: 'Slack',
    icon: 'hash',
    steps: [
      <>
        Open <External href="https://api.slack.com/apps">api.slack.com/apps</External>, Create New App, From a manifest,
        choose your workspace and paste:
        <div className="pt-2">
          <CodeLine code={SLACK_MANIFEST} label="Manifest of the app" />
        </div>
      </>,
      'Install App, and copy the Bot User OAuth Token.',
      'Basic Information: copy the Signing Secret; under App-Level Tokens make one with the scope connections:write.',
    ],
    tokens: [
      { name: 'bot_token', label: 'Bot User OAuth Token', placeholder: 'xoxb-…' },
      { name: 'signing_secret', label: 'Signing secret', placeholder: '8f742231b10e…' },
      { name: 'app_token', label: 'App-level token', placeholder: 'xapp-…', isOptional: true },
    ],
    change: ({ bot_token = '', signing_secret = '', app_token = '' }) => ({
      slack_bot_token: { bot_token, signing_secret, ...(app_token ? { app_token } : {}) },
    }),
    where: 'to the app',
  },
};
