import type { Actor } from '#lib/contracts';
/** What a request was let in by: while it is open, it is looked up again whether that is still valid. */
export type Credential =
  | { kind: 'key'; hash: string; keyId: string }
  | { kind: 'session'; id: string }
  /** A browser's sign-in, by its cookie; `keyId` is of the key that it began with. */
  | { kind: 'browser'; id: string; keyId: string | null }
  /**
   * A token that names no sign-in: of a trusted issuer, or of the version before sign-ins were rows. It ends when the
   * user signs out everywhere, and by itself.
   */
  | { kind: 'token'; userId: string; issuedAt: Date; expiresAt?: Date };

/** As the audit names who a request comes from. */
export const actorOf = ({ userId, credential }: Identity): Actor =>
  'keyId' in credential && credential.keyId !== null
    ? { type: 'api_key', id: credential.keyId }
    : { type: 'user', id: userId ?? ('userId' in credential ? credential.userId : '') };

/** Who a request comes from. */
export interface Identity {
  accountId: string;
  agentsEnabled: boolean;
  /** Whether the account may see and change all accounts. */
  isOperator: boolean;
  /** Who signed in; absent for an API key. */
  userId?: string;
  /** Of a token: the sign-in that it came of. */
  sessionId?: string;
  credential: Credential;
}
