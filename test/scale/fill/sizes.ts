/** How much a database is filled with. */
export interface Sizes {
  agents: number;
  accounts: number;
  /** Half of them replies. */
  messages: number;
  schedules: number;
  /** That wait: nine tenths webhooks, one tenth parts of replies for chats. */
  deliveries: number;
}

export const LARGE: Sizes = {
  agents: 1_000_000,
  accounts: 100_000,
  messages: 10_000_000,
  schedules: 1_000_000,
  deliveries: 1_000_000,
};

/** The same installation with a part of everything, so that what is measured differs in size alone. */
export function scaled(sizes: Sizes, factor: number): Sizes {
  const part = (count: number) => Math.max(10, Math.round(count * factor));
  return {
    agents: part(sizes.agents),
    accounts: part(sizes.accounts),
    messages: part(sizes.messages),
    schedules: part(sizes.schedules),
    deliveries: part(sizes.deliveries),
  };
}

/** An account that is neither large nor empty, and has a key of its own. */
export const smallAccount = ({ accounts }: Sizes): number => Math.max(2, Math.floor(accounts / 2));

export const endpointsOf = ({ accounts }: Sizes): number => Math.max(2, Math.floor(accounts / 2));
