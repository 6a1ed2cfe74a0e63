import { connect as netConnect, isIP, type Socket } from 'node:net';
import { connect as tlsConnect, rootCertificates } from 'node:tls';
import { Agent as HttpAgent, type ClientRequestArgs } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Agent, buildConnector } from 'undici';
import { assertDialable, guardedLookup } from './guarded-lookup.js';
import { assertAddress, type GuardPolicy, unbracketed } from './policy.js';

const connectTimeoutMs = 10_000;

/** Node takes `ca` instead of its own list, not besides it. */
const trusted = ({ ca }: GuardPolicy) => (ca ? { ca: [...rootCertificates, ca] } : {});

/**
 * Opens a TCP connection to a host of the outside world: resolved once, every answer checked, a checked one dialled.
 * Errors: ACCESS_DENIED (`isBlocked`), else the socket's own.
 */
export function guardedConnect(
  { host, port }: { host: string; port: number },
  policy: GuardPolicy,
  timeoutMs = connectTimeoutMs,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    assertDialable(host, policy);
    const socket = netConnect({ host, port, lookup: guardedLookup(policy), autoSelectFamily: true });
    const timer = setTimeout(
      () => socket.destroy(Object.assign(new Error(`no connection to ${host} in time`), { code: 'ETIMEDOUT' })),
      timeoutMs,
    );
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      const remote = socket.remoteAddress;
      try {
        if (remote !== undefined) assertAddress(remote, policy, host);
        resolve(socket);
      } catch (error) {
        socket.destroy();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

/**
 * A dispatcher for undici and its `fetch` that can reach nothing the policy refuses. It follows no redirects by itself;
 * with `fetch` say `redirect: 'manual'` or each hop is checked anew. Close it when it is not needed any more.
 */
export function guardedDispatcher(policy: GuardPolicy, options: Agent.Options = {}): Agent {
  const connectWith = buildConnector({
    lookup: guardedLookup(policy),
    autoSelectFamily: true,
    timeout: connectTimeoutMs,
    ...trusted(policy),
  });
  return new Agent({
    headersTimeout: 30_000,
    bodyTimeout: 30_000,
    ...options,
    connect: (target, callback) => {
      try {
        assertDialable(target.hostname, policy);
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)), null);
        return;
      }
      connectWith(target, callback);
    },
  });
}

/** Agents for Node's own `http.request` and `https.request`, with the same promise. */
export function guardedAgents(policy: GuardPolicy): { http: HttpAgent; https: HttpsAgent } {
  const http = new HttpAgent();
  const https = new HttpsAgent();
  const lookup = guardedLookup(policy);
  const target = ({ host, port }: ClientRequestArgs) => {
    assertDialable(host ?? '', policy);
    return { host: host ?? '', port: Number(port), lookup };
  };
  // Overridden on the instance: these are where the agents make their sockets.
  http.createConnection = (options) => netConnect(target(options));
  https.createConnection = (options) => {
    const where = target(options);
    const isAddress = isIP(unbracketed(where.host)) !== 0;
    return tlsConnect({
      ...where,
      ...(isAddress ? {} : { servername: where.host }),
      ...trusted(policy),
    });
  };
  return { http, https };
}
