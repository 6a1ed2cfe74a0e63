/**
 * Who may use which subject on the bus. Pure functions over NATS JWTs: no connection, no file, no Nest.
 *
 * Trust is a chain: the operator signs accounts (the server is given both), an account signs users. A user's
 * credentials are the text of a `.creds` file: a JWT that states what it may do, and the seed that proves it is the user.
 * The server learns nothing when a user is made, so a holder of the account seed can make them at any time.
 *
 * Not promised: taking credentials back. They end by their expiry (`ttlSeconds`) or with their account.
 */
export { createAccount, createTrust, type BusAccount, type BusTrust } from './trust.js';
export { accountCredentials, adminCredentials, serviceCredentials } from './service-credentials.js';
export { adminPermissions, serviceInboxPrefix, servicePermissions } from './service-permissions.js';
export { serviceRights, type ServiceName, type ServiceRights } from './service-rights.js';
export { commonSubject } from './subject-groups.js';
export {
  workspaceCredentials,
  workspaceInboxPrefix,
  type WorkspaceCredentialsOptions,
} from './workspace-credentials.js';
