import {
  type APIApplicationCommand,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type RESTPutAPIApplicationCommandsJSONBody,
} from 'discord-api-types/v10';

/** The bot's commands, as Discord offers them when a person types `/`. */
export const COMMANDS: RESTPutAPIApplicationCommandsJSONBody = [
  {
    type: ApplicationCommandType.ChatInput,
    name: 'link',
    description: 'Talk to an agent',
    options: [
      { type: ApplicationCommandOptionType.String, name: 'code', description: 'Six characters', required: true },
    ],
  },
  { type: ApplicationCommandType.ChatInput, name: 'unlink', description: 'Stop talking to the agent' },
  { type: ApplicationCommandType.ChatInput, name: 'status', description: 'Which agent this is' },
  { type: ApplicationCommandType.ChatInput, name: 'stop', description: 'Interrupt what the agent is doing' },
  { type: ApplicationCommandType.ChatInput, name: 'new', description: 'Start a fresh conversation' },
  {
    type: ApplicationCommandType.ChatInput,
    name: 'approve',
    description: 'Allow a tool that the agent asks for',
    options: [{ type: ApplicationCommandOptionType.String, name: 'id', description: 'Of several: which one' }],
  },
  {
    type: ApplicationCommandType.ChatInput,
    name: 'deny',
    description: 'Refuse a tool that the agent asks for',
    options: [
      { type: ApplicationCommandOptionType.String, name: 'id', description: 'Of several: which one' },
      { type: ApplicationCommandOptionType.String, name: 'reason', description: 'What the agent is told' },
    ],
  },
  {
    type: ApplicationCommandType.ChatInput,
    name: 'answer',
    description: 'Answer a question of the agent',
    options: [
      { type: ApplicationCommandOptionType.String, name: 'id', description: 'Of several: which one' },
      { type: ApplicationCommandOptionType.String, name: 'text', description: 'The answer' },
    ],
  },
  { type: ApplicationCommandType.ChatInput, name: 'help', description: 'What can be said to the bot' },
];

/** Registering counts against a daily limit: only what differs is registered again. */
export function isRegistered(known: APIApplicationCommand[]): boolean {
  const describe = ({ name, description }: { name: string; description?: string | undefined }) =>
    `${name}: ${description}`;
  return known.map(describe).sort().join('\n') === COMMANDS.map(describe).sort().join('\n');
}
