import { startupSnapshot } from 'node:v8';
import { runDaemon } from './run-daemon.js';

// Loading all this takes longer than everything else on the way to the first answer: where it can be done ahead, a
// workspace begins from a snapshot of the loaded program (`node --build-snapshot`).
if (startupSnapshot.isBuildingSnapshot()) startupSnapshot.setDeserializeMainFunction(() => void runDaemon());
else void runDaemon();
