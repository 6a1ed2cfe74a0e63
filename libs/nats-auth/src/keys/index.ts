/**
 * Keys of the bus, used by Node's own Ed25519: the client's is JavaScript and takes some 10 ms for a signature, several
 * times that in a process that has just started. No connection, no permissions.
 */
export { credsAuthenticator } from './creds-authenticator.js';
export { native } from './native-key.js';
