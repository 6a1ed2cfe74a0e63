import { setTimeout as sleep } from 'node:timers/promises';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect, type Socket } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import { fetch } from 'undici';
import {
  checkRegisteredUrl,
  guardedAgents,
  guardedConnect,
  guardedDispatcher,
  guardedRequest,
  type GuardPolicy,
  unbracketed,
} from '#lib/net-guard';
import type { ForwardProxy } from '../../apps/egress-proxy/src/forward-proxy.js';
import { plainProxy } from '../../apps/egress-proxy/test/plain-proxy.js';

/** Where a request arrived, as the canary reports it; null when the client gives no answer's body. */
export interface Arrival {
  address: string;
  host: string;
}

/** One way of our code to reach a URL. Throws when it is refused or does not arrive. */
export type Client = (url: string) => Promise<Arrival>;

const timeoutMs = 5_000;

/** Every client of the guard, each with the text as the user wrote it. */
export function guardedClients(policy: GuardPolicy): Record<string, Client> {
  const dispatcher = () => guardedDispatcher(policy, { connect: { timeout: timeoutMs } });
  const proxy = plainProxy({ guard: policy });
  return {
    request: async (url) => {
      const agent = dispatcher();
      try {
        const answer = await guardedRequest({ url, timeoutMs, maxResponseBytes: 10_000 }, policy, agent);
        return arrival(answer.body.toString());
      } finally {
        await agent.destroy();
      }
    },
    webhook: async (url) => {
      await checkRegisteredUrl(url, policy);
      const agent = dispatcher();
      try {
        const answer = await guardedRequest(
          { url, method: 'POST', timeoutMs, maxResponseBytes: 10_000 },
          policy,
          agent,
        );
        return arrival(answer.body.toString());
      } finally {
        await agent.destroy();
      }
    },
    /** Without the check of the URL: what is dialled must be safe by itself. */
    fetch: async (url) => {
      const agent = dispatcher();
      try {
        const answer = await fetch(withoutUser(url), { dispatcher: agent, redirect: 'manual' });
        return arrival(await answer.text());
      } finally {
        await agent.destroy();
      }
    },
    agents: async (url) => nodeRequest(url, policy),
    proxy: (url) =>
      onceAdmitted(async () => {
        const { host, port } = rawTarget(url);
        const client = proxyClient(proxy);
        client.write(`GET ${withoutUser(url)} HTTP/1.1\r\nhost: ${host}${port}\r\nconnection: close\r\n\r\n`);
        try {
          return answerOf(await textOf(client));
        } finally {
          client.destroy();
        }
      }),
    connect: async (url) => {
      const { host, number } = rawTarget(url);
      const socket = await guardedConnect({ host: unbracketed(host), port: number }, policy, timeoutMs);
      return plainGet(socket, url);
    },
    tunnel: (url) =>
      onceAdmitted(async () => {
        const { host, number } = rawTarget(url);
        const client = proxyClient(proxy);
        client.write(`CONNECT ${host}:${number} HTTP/1.1\r\nhost: ${host}:${number}\r\n\r\n`);
        try {
          const head = await firstOf(client);
          if (!head.startsWith('HTTP/1.1 200')) throw new Error(head.split('\r\n')[0]);
          return await plainGet(client, url);
        } finally {
          client.destroy();
        }
      }),
  };
}

/** The proxy bounds an agent's requests a second, which is tested elsewhere: asks again, as a client is meant to. */
async function onceAdmitted<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!String(error).includes('429')) throw error;
      await sleep(100);
    }
  }
}

/** The same URL without any guard, to show that a dial is counted. Resolves when it connected or failed. */
export function unguardedDial(url: string): Promise<void> {
  const { host, number } = rawTarget(url);
  return new Promise((resolve) => {
    const socket = connect({ host: unbracketed(host), port: number, timeout: 1_000 });
    const end = () => {
      socket.destroy();
      resolve();
    };
    for (const event of ['connect', 'error', 'timeout']) socket.once(event, end);
  });
}

function nodeRequest(url: string, policy: GuardPolicy): Promise<Arrival> {
  const { host, number } = rawTarget(url);
  const agents = guardedAgents(policy);
  const isTls = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const options = { host: unbracketed(host), port: number, path: '/', timeout: timeoutMs };
    const request = isTls ? httpsGet({ ...options, agent: agents.https }) : httpGet({ ...options, agent: agents.http });
    request.once('error', reject);
    request.once('timeout', () => request.destroy(new Error('too late')));
    request.once('response', (response) => {
      textOf(response).then((text) => resolve(arrival(text)), reject);
    });
  });
}

/** Host and port as they are written, not as a URL parser would have them; what is not written like a URL throws. */
function rawTarget(url: string): { host: string; port: string; number: number } {
  const [, scheme = '', authority = ''] = /^(https?):\/\/([^/?#\\]+)/.exec(url) ?? [];
  const [, host = '', port = ''] = /^(.*?)(:\d+)?$/s.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? [];
  const number = port === '' ? (scheme === 'https' ? 443 : 80) : Number(port.slice(1));
  if (host === '') throw new Error('no host is written there');
  return { host, port, number };
}

function withoutUser(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@?#\\]*@/, '$1');
}

/** Asks over an open connection. With TLS the connection alone is what was asked for. */
async function plainGet(stream: Duplex | Socket, url: string): Promise<Arrival> {
  const { host, port, number } = rawTarget(url);
  if (number === 443 || number === 8443) {
    const address = 'remoteAddress' in stream ? (stream.remoteAddress ?? '') : '';
    stream.destroy();
    return { address: address.replace(/^::ffff:(?=\d+\.)/, ''), host: '' };
  }
  stream.write(`GET / HTTP/1.1\r\nhost: ${new URL(`http://${host}${port}/`).host}\r\nconnection: close\r\n\r\n`);
  return answerOf(await textOf(stream));
}

function proxyClient(proxy: ForwardProxy): Duplex {
  const [near, far] = duplexPair();
  // A destroyed end does not notify the other, as sockets do; what was written before is still to be read.
  far.once('close', () => near.push(null));
  near.once('close', () => far.destroy());
  near.on('error', () => undefined);
  proxy.accept(far);
  return near;
}

function answerOf(text: string): Arrival {
  if (!text.startsWith('HTTP/1.1 200')) throw new Error(text.split('\r\n')[0]);
  return arrival(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
}

function arrival(text: string): Arrival {
  return JSON.parse(text) as Arrival;
}

async function textOf(stream: AsyncIterable<Buffer | string>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.toString();
  return text;
}

function firstOf(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    stream.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    stream.once('end', () => reject(new Error('ended without an answer')));
    stream.once('close', () => reject(new Error('closed without an answer')));
  });
}
