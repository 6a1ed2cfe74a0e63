import { type Core, dataOf } from '../core.js';
import {
  accountsLogin,
  accountsRefresh,
  accountsRegister,
  accountsResend,
  accountsVerify,
  browserSessionsBegin,
  browserSessionsEnd,
  browserSessionsLink,
  browserSessionsMethods,
  credentialsChange,
  credentialsDelete,
  credentialsForgot,
  credentialsLogout,
  credentialsLogoutEverywhere,
  credentialsReset,
  oauthBegin,
  oauthFinish,
} from '../generated/sdk.gen.js';
import type {
  AccountsLoginData,
  AccountsLoginResponses,
  AccountsRefreshData,
  AccountsRegisterData,
  AccountsResendData,
  AccountsVerifyData,
  BrowserSessionsBeginData,
  BrowserSessionsBeginResponses,
  BrowserSessionsLinkResponses,
  BrowserSessionsMethodsResponses,
  CredentialsChangeData,
  CredentialsDeleteData,
  CredentialsForgotData,
  CredentialsResetData,
  OauthBeginData,
  OauthBeginResponses,
  OauthFinishData,
  OauthFinishResponses,
} from '../generated/types.gen.js';
import type { CallOptions } from '../transport/transport.js';

export type SignIn = AccountsLoginResponses[200];
export type SignInMethods = BrowserSessionsMethodsResponses[200];
type SignInProvider = OauthBeginData['path']['provider'];

/** Signing in with a password, or with Google or GitHub. Programs use an API key instead. */
export class Auth {
  constructor(private readonly core: Core) {}

  login(credentials: AccountsLoginData['body'], options?: CallOptions): Promise<SignIn> {
    return dataOf(accountsLogin({ ...this.open(options), body: credentials }));
  }

  /** The old refresh token is used up. */
  refresh(body: AccountsRefreshData['body'], options?: CallOptions): Promise<SignIn> {
    return dataOf(accountsRefresh({ ...this.open(options), body }));
  }

  /** A code is mailed, for `verify`. */
  register(user: AccountsRegisterData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(accountsRegister({ ...this.open(options), body: user }));
  }

  verify(body: AccountsVerifyData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(accountsVerify({ ...this.open(options), body }));
  }

  resendCode(body: AccountsResendData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(accountsResend({ ...this.open(options), body }));
  }

  /** A code is mailed, for `resetPassword`. */
  forgotPassword(body: CredentialsForgotData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(credentialsForgot({ ...this.open(options), body }));
  }

  resetPassword(body: CredentialsResetData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(credentialsReset({ ...this.open(options), body }));
  }

  changePassword(body: CredentialsChangeData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(credentialsChange({ ...this.core.by(options), body }));
  }

  logout(options?: CallOptions): Promise<unknown> {
    return dataOf(credentialsLogout({ ...this.core.by(options) }));
  }

  logoutEverywhere(options?: CallOptions): Promise<unknown> {
    return dataOf(credentialsLogoutEverywhere({ ...this.core.by(options) }));
  }

  /** With everything that the account owns, permanently. */
  deleteAccount(body: CredentialsDeleteData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(credentialsDelete({ ...this.core.by(options), body }));
  }

  /** Where to send the person. */
  beginOAuth(provider: SignInProvider, options?: CallOptions): Promise<OauthBeginResponses[200]> {
    return dataOf(oauthBegin({ ...this.core.by(options), path: { provider } }));
  }

  /** What the person came back with. */
  finishOAuth(
    provider: SignInProvider,
    body: OauthFinishData['body'],
    options?: CallOptions,
  ): Promise<OauthFinishResponses[200]> {
    return dataOf(oauthFinish({ ...this.open(options), path: { provider }, body }));
  }

  /**
   * Of a page that Roost serves: signs the browser in by a cookie, which no script reads. The client of such a page is
   * made with `headers: { 'x-roost-csrf': '1' }` and without a key.
   */
  beginSession(
    proof: BrowserSessionsBeginData['body'],
    options?: CallOptions,
  ): Promise<BrowserSessionsBeginResponses[201]> {
    return dataOf(browserSessionsBegin({ ...this.open(options), body: proof }));
  }

  endSession(options?: CallOptions): Promise<unknown> {
    return dataOf(browserSessionsEnd({ ...this.core.by(options) }));
  }

  /** How people can sign in here, besides email and password. */
  signInMethods(options?: CallOptions): Promise<SignInMethods> {
    return dataOf(browserSessionsMethods({ ...this.core.by(options) }));
  }

  /** By an API key: signs in one browser on the machine that Roost runs on, once. */
  createSignInLink(options?: CallOptions): Promise<BrowserSessionsLinkResponses[201]> {
    return dataOf(browserSessionsLink({ ...this.core.by(options) }));
  }

  /** Operations for whoever is not signed in keep no results by key: their loss is not mended by sending again. */
  private open(options: CallOptions | undefined) {
    return this.core.by(options, true);
  }
}
