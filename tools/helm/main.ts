import { writeFileSync } from 'node:fs';
import { manifestsFile, plainManifests } from './index.js';

writeFileSync(manifestsFile, await plainManifests());
