import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { RoostError } from '#lib/contracts';
import { randomBytes, randomUUID } from 'node:crypto';
import { AuthorizationNeeded } from '../server-failure.js';
import { beginPending, beginRenewal, endRenewal, type OAuthState, type PendingAuthorization } from './oauth-state.js';
import type { McpServersRepository, ServerAt } from './mcp-servers.repository.js';
import { refreshOnce } from './refresh-once.js';

/**
 * The OAuth 2.1 side of one server of the registry: discovery, registration, PKCE and refresh are the SDK's, the
 * memory is a sealed column. A turn never starts an authorisation: only the user's own request does.
 */
export class OAuthClient implements OAuthClientProvider {
  /** Where the user has to go, once the SDK has found out. */
  authorizationUrl: URL | undefined;
  private readonly stateToken = randomBytes(24).toString('base64url');
  /** The latest refresh token that the authorization server did not take. */
  private refused: string | undefined;
  /** The latest refresh token that this client sent. */
  private spent: string | undefined;
  /** Names this client's lease to renew tokens. */
  private readonly renewer = randomUUID();

  constructor(
    private readonly store: Pick<McpServersRepository, 'oauth' | 'changeOAuth'>,
    private readonly server: ServerAt,
    private readonly redirectUri: string,
    /** false in a turn. */
    private readonly isInteractive: boolean,
    /** The one that is finished with this client, if one is. */
    private readonly taken?: PendingAuthorization,
  ) {}

  /** A fetch for everything that is done with this client's tokens: they are renewed once for all who need it. */
  refreshing(fetch: FetchLike): FetchLike {
    return refreshOnce(fetch, {
      stored: () => this.tokens(),
      begin: (refreshToken) => this.beginRenewal(refreshToken),
      end: () => this.change((state) => endRenewal(state, this.renewer)),
      onRefused: (refreshToken) => (this.refused = refreshToken),
    });
  }

  get redirectUrl(): string {
    return this.redirectUri;
  }

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: 'Roost',
      redirect_uris: [this.redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  state(): string {
    return this.stateToken;
  }

  async clientInformation(): Promise<OAuthClientInformationMixed | undefined> {
    const { client } = await this.read();
    // The SDK would register anew: that is the beginning of an authorisation, which is the user's.
    if (!this.isInteractive && !client) throw new AuthorizationNeeded();
    // Registered for another address to return to: it would be refused there.
    const registered: unknown = client && 'redirect_uris' in client ? client.redirect_uris : undefined;
    const isForAnother = Array.isArray(registered) && !registered.includes(this.redirectUri);
    return this.isInteractive && isForAnother ? undefined : client;
  }

  saveClientInformation(client: OAuthClientInformationMixed): Promise<void> {
    return this.change((state) => ({ ...state, client }));
  }

  async tokens(): Promise<OAuthTokens | undefined> {
    return (await this.read()).tokens;
  }

  /** Not over what somebody has got since: with a refresh token that this client did not send, or with a new grant. */
  saveTokens(tokens: OAuthTokens): Promise<void> {
    return this.change((state) => {
      const stored = state.tokens?.refresh_token;
      const isOutdated = !this.taken && stored !== undefined && stored !== this.spent;
      return endRenewal(isOutdated ? state : { ...state, tokens }, this.renewer);
    });
  }

  redirectToAuthorization(url: URL): void {
    if (!this.isInteractive) throw new AuthorizationNeeded();
    this.authorizationUrl = url;
  }

  /** The SDK's first step of an authorization: one that no user asked for would end the one that a user began. */
  async saveCodeVerifier(verifier: string): Promise<void> {
    if (!this.isInteractive) throw await this.reasonNotToAsk();
    const { stateToken: state, redirectUri } = this;
    await this.change((kept, now) => beginPending(kept, { state, verifier, redirectUri }, now));
  }

  /** With a refresh token still kept, the authorization server did not refuse it: it failed, or is away. */
  private async reasonNotToAsk(): Promise<Error> {
    const isRefusal = (await this.tokens())?.refresh_token === undefined;
    return isRefusal ? new AuthorizationNeeded() : new Error('the authorization server could not refresh the tokens');
  }

  codeVerifier(): string {
    if (!this.taken) throw new RoostError('VALIDATION_ERROR', 'state: no authorisation is under way');
    return this.taken.verifier;
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): Promise<void> {
    return this.change((state) => ({ ...state, discovery }));
  }

  async discoveryState(): Promise<OAuthDiscoveryState | undefined> {
    return (await this.read()).discovery;
  }

  /** Of the tokens only those whose refresh token was refused are forgotten, not what somebody got meanwhile. */
  async invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): Promise<void> {
    const isRefused = (tokens: OAuthTokens) => tokens.refresh_token === this.refused;
    await this.change((state) => {
      const { client, tokens, discovery, pending, renewal } = scope === 'all' ? ({} as OAuthState) : state;
      return {
        ...(client && scope !== 'client' ? { client } : {}),
        ...(tokens && !(scope === 'tokens' && isRefused(tokens)) ? { tokens } : {}),
        ...(discovery && scope !== 'discovery' ? { discovery } : {}),
        ...(pending && scope !== 'verifier' ? { pending } : {}),
        ...(renewal ? { renewal } : {}),
      };
    });
  }

  private async beginRenewal(refreshToken: string): Promise<boolean> {
    let isOurs = true;
    await this.change((state, now) => {
      const begun = beginRenewal(state, refreshToken, this.renewer, now);
      isOurs = begun !== undefined;
      return begun ?? state;
    });
    if (isOurs) this.spent = refreshToken;
    return isOurs;
  }

  private read(): Promise<OAuthState> {
    return this.store.oauth(this.server);
  }

  private change(change: (state: OAuthState, now: Date) => OAuthState): Promise<void> {
    return this.store.changeOAuth(this.server, change);
  }
}
