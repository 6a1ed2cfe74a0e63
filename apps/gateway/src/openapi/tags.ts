/** The groups of operations, in the order of the reference. A tag without a description fails the document's spec. */
export const TAGS: Record<string, string> = {
  Agents:
    'An agent is a named, configured, long-lived AI worker with a sandbox, files, a message queue and a balance of output tokens. Creating one takes a database row; its sandbox is started when it is needed and sleeps when it is not.',
  Messages:
    'A message is one text to an agent or from it. Sending puts it into the agent’s queue; a turn of the agent answers it. Read the reply by waiting for it, by the event stream, or by a webhook.',
  Runs: 'A run is what an agent does for one batch of messages, from its first attempt to its answer: every call of a model and of a tool, with tokens, cost and durations.',
  Approvals:
    'Calls of tools that an agent’s permissions ask about: each waits for a person’s decision, and its run with it.',
  Usage: 'What model steps have used and cost, and budgets that cap it.',
  Filesystem:
    'The files of an agent’s workspace. Paths are relative to it: `/workspace/x`, `workspace/x` and `x` are the same file, answers give the absolute form. A sleeping workspace is woken; that of a stopped agent is not to be had (503). Paths have at most 4,096 bytes, names 255.',
  Models: 'The models that answer.',
  MCP: 'Servers of the Model Context Protocol whose tools agents may use: the account’s registry, who may use what, and OAuth.',
  Schedules: 'A schedule sends an agent a message at the times of a cron expression.',
  Triggers: 'A trigger turns an inbound webhook of another system into a message to an agent.',
  Webhooks:
    'Outbound webhooks: events of your agents, sent to your own HTTP endpoints, signed by Standard Webhooks, retried, with a history. What is sent is under *Webhooks* of this document.',
  Channels: 'Chat platforms: who is linked with an agent on Discord, Slack and Telegram, and how its bot is doing.',
  Network: 'What agents call outside, and what was refused to them.',
  Vault:
    'Secrets that agents use and never see: each is put on requests to its own hosts when they leave the sandbox. A grant lets an agent use one.',
  Accounts: 'Users, sign-ins, API keys, keys of model providers and quotas.',
  Operators:
    'For whoever operates this Roost: all accounts, their quotas, and the health of the services. Other accounts are refused (403).',
  Health: 'Whether this gateway and what it needs are up. For load balancers and monitors.',
};
