import { describeDriver } from '../../../test/drivers/driver-suite.js';
import { localRuntimes } from './local-runtimes.js';
import { localDriverFixture } from '../../../test/drivers/local/local-driver-fixture.js';

describeDriver('the local driver', { isIsolated: true }, async () =>
  localDriverFixture(await localRuntimes.bubblewrap({ bwrap: process.env['ROOST_TEST_BWRAP'], runsc: '' })),
);
