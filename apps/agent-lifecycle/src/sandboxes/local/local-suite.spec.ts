import { describeDriver } from '../../../test/drivers/driver-suite.js';
import { bubblewrapRuntime, localDriverFixture } from '../../../test/drivers/local/local-driver-fixture.js';

describeDriver('the local driver', { isIsolated: true }, async () => localDriverFixture(await bubblewrapRuntime()));
