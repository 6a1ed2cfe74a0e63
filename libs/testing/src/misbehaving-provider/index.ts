export type { Misbehaviour, Reaction, ScriptedAnswer, ScriptedCall, StreamPosition, Tokens } from './answer.js';
export { MisbehavingProvider, type Script, type SeenRequest } from './misbehaving-provider.js';
export type { AskedRequest, WireName } from './wire.js';
export { WIRES } from './wires.js';
