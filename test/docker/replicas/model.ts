import { ANSWER_MS } from '../../ledger/timing.js';
import { startStandInModel } from '../../doubles/stand-in-model.js';

/** The stand-in model as a container of the stack. */
await startStandInModel({ answerMs: ANSWER_MS, listen: { host: '0.0.0.0', port: 8080 } });
process.once('SIGTERM', () => process.exit(0));
