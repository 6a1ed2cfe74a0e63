import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { manifestsFile, plainManifests } from './manifests.js';

mkdirSync(dirname(manifestsFile), { recursive: true });
writeFileSync(manifestsFile, plainManifests());
