import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type Attack, makeAgent, send } from './attack.js';

const STREAMS = 948;
const HALF_SENT = 300;
const ENDPOINTS = 20;

export const eventStreams: Attack = async (target) => {
  const agent = await makeAgent(target, 'streamed');
  if (!agent) return;
  const headers = { authorization: `Bearer ${target.key}` };
  const follow = async () => {
    try {
      const { status, body } = await fetch(`${target.url}/v1/agent/${agent}/events`, { headers, signal: target.over });
      target.count(String(status));
      const reader = body?.getReader();
      while (reader && !(await reader.read()).done);
    } catch {
      if (!target.over.aborted) target.count('cut off');
    }
  };
  await Promise.all(Array.from({ length: STREAMS }, follow));
};

/** Bodies of which a byte comes every second. */
export const slowBodies: Attack = async ({ url, key, over, count }) => {
  const { hostname, port } = new URL(url);
  const send = async () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => count('reset'));
    await once(socket, 'connect');
    socket.write(
      `POST /v1/agent/create HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"name":"`,
    );
    socket.once('data', (answer) => count(String(answer).slice(9, 12)));
    const drip = setInterval(() => socket.write('x'), 1_000);
    over.addEventListener('abort', () => socket.destroy());
    await once(socket, 'close');
    clearInterval(drip);
  };
  await Promise.all(Array.from({ length: HALF_SENT }, send));
};

/** Many endpoints at a receiver that never answers, and messages that have something to send them. */
export const slowReceiver: Attack = async (target) => {
  const receiver = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  for (let n = 0; n < ENDPOINTS; n += 1) {
    const { status } = await target.api('POST', '/v1/webhooks/endpoints', { url: `${url}${n}`, events: ['*'] });
    target.count(`endpoint ${status}`);
  }
  const agent = await makeAgent(target, 'loaded');
  for (let n = 0; agent && n < 300 && !target.over.aborted; n += 1) await send(target, agent, `event ${n}`);
  await new Promise((resolve) => target.over.addEventListener('abort', resolve));
  receiver.closeAllConnections();
  receiver.close();
};
