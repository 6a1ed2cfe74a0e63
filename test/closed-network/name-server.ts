import { createSocket } from 'node:dgram';
import { decode, encode, type Packet } from 'dns-packet';
import { isIPv4 } from 'node:net';

/** What a name answers: addresses, or another name. */
export type Answer = readonly string[] | { cname: string };
/** Names in lower case and punycode, each with its answers turn by turn; the last one stays. */
export type Names = Record<string, readonly Answer[]>;

/** A small authoritative server for everything there is. A and AAAA questions have turns of their own. */
export class NameServer {
  private names: Names = {};
  private readonly turns = new Map<string, number>();
  questions = 0;

  constructor(address: string) {
    const socket = createSocket('udp4');
    socket.on('message', (message, from) => socket.send(this.answer(decode(message)), from.port, from.address));
    socket.bind(53, address);
  }

  set(names: Names): void {
    this.names = names;
    this.turns.clear();
  }

  private answer(query: Packet): Buffer {
    const [question] = query.questions ?? [];
    if (!question) return encode({ type: 'response', id: query.id ?? 0 });
    this.questions += 1;
    const answers: { type: 'A' | 'AAAA' | 'CNAME'; name: string; ttl: number; data: string }[] = [];
    let name = question.name.toLowerCase();
    let isKnown = true;
    for (let hops = 0; hops < 32; hops += 1) {
      const turn = this.turn(name, question.type);
      isKnown = turn !== undefined;
      if (turn && 'cname' in turn) {
        answers.push({ type: 'CNAME', name, ttl: 0, data: turn.cname });
        name = turn.cname.toLowerCase();
        continue;
      }
      for (const data of turn ?? []) {
        const type = isIPv4(data) ? 'A' : 'AAAA';
        if (type === question.type) answers.push({ type, name, ttl: 0, data });
      }
      break;
    }
    return encode({
      type: 'response',
      id: query.id ?? 0,
      // Authoritative and recursive; 3 is NXDOMAIN.
      flags: 0x0580 | (isKnown ? 0 : 3),
      questions: [question],
      answers,
    });
  }

  private turn(name: string, type: string): Answer | undefined {
    const turns = Object.hasOwn(this.names, name) ? this.names[name] : undefined;
    if (!turns) return undefined;
    const key = `${type} ${name}`;
    const count = this.turns.get(key) ?? 0;
    this.turns.set(key, count + 1);
    return turns[Math.min(count, turns.length - 1)];
  }
}
