import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate.js';
import { makeInternetInterfaces } from './interfaces.js';
import { NameServer, type Names } from './name-server.js';
import { NAME_SERVER } from './run-closed.js';

/** Answers a request to one host of the internet. */
export type Site = (request: IncomingMessage, response: ServerResponse) => void;
/** Sites by host name, lower case, without port. */
export type Sites = Record<string, Site>;

export interface InternetPlan {
  open: string[];
  names: Names;
  certificate: Certificate;
  /** A module whose `sites` are served; its URL. */
  sites: string | undefined;
}

export type ToInternet = { plan: InternetPlan } | { names: Names } | { count: true };
export interface Connections {
  open: number;
  denied: number;
  questions: number;
}

/** The process at the far end of a closed network: name server, canaries and the test's own sites. */
const connections = { open: 0, denied: 0 };
let open = new Set<string>();
let sites: Sites = {};
let nameServer: NameServer | undefined;

process.on('message', (message: ToInternet) => void receive(message));
process.once('disconnect', () => process.exit(0));
process.send?.('started');

async function receive(message: ToInternet): Promise<void> {
  if ('plan' in message) await begin(message.plan);
  else if ('names' in message) nameServer?.set(message.names);
  process.send?.({ ...connections, questions: nameServer?.questions ?? 0 } satisfies Connections);
}

async function begin(plan: InternetPlan): Promise<void> {
  makeInternetInterfaces();
  open = new Set(plan.open);
  if (plan.sites !== undefined) sites = ((await import(plan.sites)) as { sites: Sites }).sites;
  nameServer = new NameServer(NAME_SERVER);
  nameServer.set(plan.names);
  await Promise.all([
    ...[80, 8080].map((port) => listen(createHttpServer(answer), port)),
    ...[443, 8443].map((port) => listen(createHttpsServer(plan.certificate, answer), port)),
  ]);
}

function listen(
  server: ReturnType<typeof createHttpServer> | ReturnType<typeof createHttpsServer>,
  port: number,
): Promise<void> {
  server.on('connection', (socket: Socket) => {
    connections[open.has(localAddress(socket)) ? 'open' : 'denied'] += 1;
    socket.on('error', () => undefined);
  });
  return new Promise((resolve, reject) => server.once('error', reject).listen(port, '::', resolve));
}

/** A site's answer; elsewhere which address and name were called. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const site = Object.hasOwn(sites, host) ? sites[host] : undefined;
  if (site) return site(request, response);
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ address: localAddress(request.socket), host: request.headers.host }));
  });
}

function localAddress(socket: Socket): string {
  const { address = '' } = socket.address() as Partial<AddressInfo>;
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
