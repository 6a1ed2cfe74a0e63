/** What a provider sent in full and is no answer. `message` says it after the provider's name. */
export class UnusableAnswer extends Error {
  constructor(
    message: string,
    /** Another try may well bring one. */
    readonly retryable = true,
  ) {
    super(message);
  }
}
