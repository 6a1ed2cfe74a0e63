export { OtlpReceiver } from './otlp-receiver.js';
export type { ReceivedSpan } from './otlp-request.js';
