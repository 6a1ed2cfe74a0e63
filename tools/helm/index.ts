export { chartFolder, helmProgram, manifestsFile } from './helm-program.js';
export {
  lintChart,
  type Manifest,
  plainManifests,
  type RenderedChart,
  renderChart,
  type Values,
} from './render-chart.js';
