interface Exception {
  /** Of the service's application name and the statement on one line. */
  statement: RegExp;
  why: string;
}

/** Statements that may look at many rows. Each has its reason, and what bounds it. */
const EXCEPTIONS: Exception[] = [
  {
    statement: /^roost-(lifecycle|scheduler|webhooks|gateway) SELECT .* ctid::text AS row, .* AS sealed FROM/,
    why: 'looks once an hour, and at the start, for secrets under a replaced master key: one pass over the pages',
  },
  {
    statement: /^roost-webhooks SELECT count\(\*\)::int AS count FROM queue$/,
    why: 'a metric, once a scrape: counts what waits in an index',
  },
  {
    statement: /^roost-messaging SELECT count\(\*\) FROM (messages|turns) WHERE/,
    why: 'a metric, once a scrape: counts what waits or runs in a partial index',
  },
  {
    statement: /^roost-channels SELECT count\(\*\)::int AS count, \(max\(extract/,
    why: 'a metric, once a scrape: reads what is not shown yet by a partial index',
  },
  {
    statement: /^roost-messaging SELECT wire_message\(m\).* AND status = \$\d/,
    why: 'a list by a status that the agent has few or no messages of: reads all of this agent’s',
  },
  {
    statement: /^roost-webhooks SELECT d\.\*, .* FROM deliveries d .*d\.status = \$\d/,
    why: 'a list of what waits where the account has little that waits: reads the 30 days of this account’s deliveries',
  },
  {
    statement: /^roost-lifecycle SELECT .*count\(\*\).* FROM agents WHERE account_id = \$1/,
    why: 'a total or a quota of one account: counts its agents by an index',
  },
  {
    statement: /^roost-lifecycle SELECT id, name, description, status, .* FROM agents WHERE id = ANY.*OFFSET/,
    why: 'a page by its number: passes over those before it, of this account',
  },
  {
    statement:
      /^roost-messaging SELECT (count\(\*\) FROM conversations|jsonb_build_object.*FROM conversations c WHERE .*OFFSET)/,
    why: 'the total, or a page by its number, of one agent’s conversations',
  },
  {
    statement: /^roost-messaging SELECT agent_id, sum\(message_count\) AS count FROM conversations/,
    why: 'how many messages each agent of one page has: adds up their conversations, so that no row is written twice per message',
  },
  {
    statement: /^roost-scheduler SELECT count\(\*\)::int AS total FROM executions/,
    why: 'the total of one schedule’s or trigger’s executions, of which retention keeps 30 days',
  },
  {
    statement: /^roost-\w+ UPDATE outbox SET published_at = NULL FROM/,
    why: 'once after the bus lost its events, or was restarted: passes over the events of the last day',
  },
  {
    statement: /^roost-(scheduler|webhooks|messaging) SELECT count\(\*\)::int AS count FROM \w+ WHERE account_id = \$1/,
    why: 'a quota of one account: counts by an index',
  },
  {
    statement: /^roost-lifecycle WITH bound AS MATERIALIZED/,
    why: 'adds what was used since the last sum, every ten seconds',
  },
  {
    statement: /^roost-lifecycle WITH used AS/,
    why: 'a report: reads the sums of one account over the time that is asked for',
  },
];

export const reasonOf = (statement: string): string | undefined =>
  EXCEPTIONS.find((exception) => exception.statement.test(statement))?.why;
