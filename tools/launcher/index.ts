export { answeringModel } from './answering-model.js';
export { lockDataFolder } from './data-lock.js';
/** The launcher's parts, for `npm start`, the tests and the benches. */
export { findBubblewrap } from './bubblewrap.js';
export { databaseUrls } from './database-roles.js';
export { startNats, type Nats } from './nats.js';
export { serviceAccess, type ServiceAccess } from './nats-trust.js';
export { freePort } from './ports.js';
export { startPlatform, type Platform, type PlatformOptions } from './platform.js';
export { startPostgres, type Postgres } from './postgres.js';
export { endProcess, processIdentity, processesWithArgument } from './process-identity.js';
export { runInProcess, type RunningServices } from './run-in-process.js';
export { localSecrets, type LocalSecrets } from './secrets.js';
export { serviceEnvironment } from './service-environment.js';
export { superviseServices, type ServiceProcess } from './service-process.js';
export { openServicesLog, type ServicesLog } from './services-log.js';
export { services, type ServiceEntry, type ServiceModule } from './services.js';
export { findOrInstall, findProgram } from './system-package.js';
