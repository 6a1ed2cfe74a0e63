export type { Misbehaviour, Reaction, ScriptedAnswer, ScriptedCall, StreamPlace } from './answer.js';
export { RoughProvider, type Script, type SeenRequest } from './rough-provider.js';
export type { AskedRequest, WireName } from './wire.js';
export { WIRES } from './wires.js';
