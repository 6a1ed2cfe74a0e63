import { describeDriver } from '../testing/driver-suite.js';
import { localRuntimes } from './local-runtimes.js';
import { localBed } from './testing/local-bed.js';

describeDriver('the local driver', { isWalled: true }, async () =>
  localBed(await localRuntimes.bubblewrap({ bwrap: process.env['ROOST_TEST_BWRAP'], runsc: '' })),
);
