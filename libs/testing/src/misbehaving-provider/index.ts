export type { Misbehaviour, Reaction, ScriptedAnswer, ScriptedCall, StreamPosition, Tokens } from './answer.js';
export { MisbehavingProvider, type Script, type SeenRequest } from './misbehaving-provider.js';
export * as serverRules from './server-rules.js';
export type { ServerRule } from './server-rules.js';
export { type AskedRequest, Refused, type WireName } from './wire.js';
export { WIRES } from './wires.js';
