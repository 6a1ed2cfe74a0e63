import { type Core, dataOf } from '../core.js';
import {
  accountsLogin,
  accountsRefresh,
  accountsRegister,
  accountsResend,
  accountsVerify,
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

  /** With everything that the account owns, for good. */
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

  /** Operations for whoever is not signed in keep no results by key: their loss is not mended by sending again. */
  private open(options: CallOptions | undefined) {
    return this.core.by(options, true);
  }
}
