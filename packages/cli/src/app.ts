import { buildApplication, buildCommand, buildRouteMap, help, text_en, version } from '@stricli/core';
import { agents } from './agents/agents.js';
import { approvals } from './agents/approvals.js';
import { chat } from './agents/chat.js';
import { logs } from './agents/logs.js';
import { runs, trace } from './agents/runs.js';
import { send } from './agents/send.js';
import { channels } from './automation/channels.js';
import { schedules } from './automation/schedules.js';
import { triggers } from './automation/triggers.js';
import { webhooks } from './automation/webhooks.js';
import type { Cli } from './cli.js';
import { apply, diff, exportAgents } from './documents/documents.js';
import { exitCodeOf, lineOf, lineOfWrongUse } from './failure.js';
import { files } from './files/files.js';
import { budgets } from './operate/budgets.js';
import { audit } from './operate/audit.js';
import { completion } from './operate/completion.js';
import { doctor } from './operate/doctor.js';
import { usage } from './operate/usage.js';
import { vault } from './operate/vault.js';
import { inLine } from './output/clean.js';
import { login, logout } from './profiles/login.js';

const HELP = {
  useAliasInUsageLine: false,
  onlyRequiredInUsageLine: true,
  caseStyle: 'convert-camel-to-kebab',
} as const;

/** Listed in the help; their arguments are read by the programs they start. */
const startsProgram = (brief: string) => buildCommand({ docs: { brief }, parameters: {}, func: () => undefined });

const root = buildRouteMap<string, Cli>({
  docs: {
    brief: 'Roost: a home for always-on AI agents',
    fullDescription: `Roost: a home for always-on AI agents.

Which Roost: --profile, ROOST_PROFILE, or ROOST_URL with ROOST_API_KEY; else the one whose data folder (.roost) is here
or above; else the one that you signed in to with roost login. Profiles are in ~/.config/roost, readable by you alone.

Exit codes: 0 done · 1 failed · 2 wrong use · 3 not found · 4 not signed in, or not permitted · 5 Roost does not answer
· 6 the agent did not answer · 130 interrupted. roost diff: 1 something differs.

Commands in an agent's sandbox are run by the agent: roost send AGENT "run: …". The API has no operation that runs one.`,
  },
  routes: {
    up: startsProgram('Start a Roost on this machine (npm start); roost up --help lists its options'),
    chat,
    send,
    agents,
    apply,
    diff,
    export: exportAgents,
    runs,
    trace,
    approvals,
    logs,
    files,
    schedules,
    triggers,
    channels,
    webhooks,
    usage,
    budgets,
    vault,
    audit,
    login,
    logout,
    doctor,
    admin: startsProgram('What an operator does to accounts of a Roost on this machine; roost admin --help'),
    completion,
  },
});

export const app = (currentVersion: string) =>
  buildApplication<Cli>(
    root,
    {
      name: 'roost',
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      determineExitCode: exitCodeOf,
      localization: {
        loadText: () => ({
          ...text_en,
          noCommandRegisteredForInput: (args) => `roost: ${inLine(text_en.noCommandRegisteredForInput(args))}`,
          exceptionWhileParsingArguments: lineOfWrongUse,
          exceptionWhileRunningCommand: lineOf,
          commandErrorResult: lineOf,
        }),
      },
    },
    {
      help: help({ brief: 'Print help', formatting: HELP, defaultForRouteMap: true }),
      version: version({ brief: 'Print the version', info: { currentVersion } }),
    },
  );
