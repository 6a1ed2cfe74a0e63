/**
 * Which way imports go: apps → libs, libs by layers, never app → app or lib → app, and no circles, not even of types.
 */

/** Each lib and the libs that it may import, all of them above it: so no circle of libs can be written here. */
const layers = {
  contracts: [],
  'bounded-streams': [],
  'canonical-json': [],
  config: [],
  'fair-slots': [],
  'rate-limit': [],
  'secret-scrub': [],
  'time-zones': [],
  'call-context': ['contracts'],
  observability: ['call-context'],
  tracing: ['config', 'call-context', 'observability'],
  'nats-auth': ['contracts'],
  'net-guard': ['contracts'],
  permissions: ['contracts', 'canonical-json'],
  questions: ['contracts'],
  template: ['contracts'],
  'apply-plan': ['contracts', 'canonical-json'],
  sweeps: ['observability'],
  database: ['contracts', 'call-context', 'tracing'],
  rpc: ['contracts', 'call-context'],
  auth: ['config', 'observability'],
  bus: ['contracts', 'call-context', 'tracing', 'config', 'nats-auth', 'observability', 'sweeps', 'database', 'rpc'],
  audit: ['contracts', 'call-context', 'database', 'sweeps', 'bus'],
  quotas: ['contracts', 'call-context', 'database', 'bus'],
  'workspace-client': ['contracts', 'call-context', 'tracing', 'rpc', 'bus'],
};

const names = Object.keys(layers);
for (const [at, [lib, below]] of Object.entries(layers).entries()) {
  const wrong = below.find((other) => names.indexOf(other) === -1 || names.indexOf(other) >= at);
  if (wrong) throw new Error(`layers: ${lib} can only import what stands above it, and ${wrong} does not`);
}

/** Tests may use the test harness, which stands above everything. */
const shipped = { pathNot: '\\.spec\\.ts$' };

export default {
  forbidden: [
    ...Object.entries(layers).map(([lib, below]) => ({
      name: `layer-${lib}`,
      comment: `libs/${lib} may import ${below.join(', ') || 'no other lib'}; the layers are in .dependency-cruiser.mjs.`,
      severity: 'error',
      from: { path: `^libs/${lib}/`, ...shipped },
      to: { path: '^libs/', pathNot: `^libs/(${[lib, ...below].join('|')})/` },
    })),
    {
      name: 'lib-without-layer',
      comment: 'A new lib gets a line in the layers of .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^libs/', pathNot: `^libs/(${[...names, 'testing'].join('|')})/` },
      to: { path: '^libs/' },
    },
    {
      name: 'no-nest-below-bus',
      comment: 'The sandbox daemon and the launcher load these libs: Nest comes in with bus.',
      severity: 'error',
      from: {
        path: `^libs/(${['call-context', 'nats-auth', 'rpc', 'database', 'observability', 'config'].join('|')})/`,
        ...shipped,
      },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'no-app-to-app',
      comment: 'An app knows another only through libs/contracts: it sends it requests over NATS.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'no-lib-to-app',
      comment: 'A lib serves every app, so it can depend on none.',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/testing/' },
      to: { path: '^(apps|tools)/' },
    },
    {
      name: 'packages-alone',
      comment: 'What is published knows the API alone, through what is generated from its document.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '(\\.spec\\.ts$|^packages/[^/]+/test/)' },
      to: { path: '^(apps|libs|tools|bench|test)/' },
    },
    {
      name: 'sdk-without-dependencies',
      comment: 'The SDK runs in browsers, Bun and Node, and brings nothing along.',
      severity: 'error',
      from: { path: '^packages/sdk/src/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^packages/sdk/src/' },
    },
    {
      name: 'dashboard-by-sdk',
      comment: 'The dashboard uses what any program uses: the SDK, and nothing of the services.',
      severity: 'error',
      from: { path: '^apps/dashboard/' },
      to: { path: '^(apps|libs|tools|bench|test)/|^packages/(?!sdk/src/index)', pathNot: '^apps/dashboard/' },
    },
    {
      name: 'no-testing-in-production',
      comment: 'The test harness brings servers with it: nothing that runs for users may load it.',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: '(\\.spec\\.ts$|^libs/testing/|^apps/[^/]+/test/)' },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'no-test-support-in-production',
      comment: 'Images leave apps/*/test out: fixtures and suites are for specs, benches and tests alone.',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: '(\\.spec\\.ts$|^apps/[^/]+/test/)' },
      to: { path: '^apps/[^/]+/test/' },
    },
    {
      name: 'contracts-only-zod',
      comment: 'Contracts are shared by everything, the sandbox daemon too: they carry no framework.',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^libs/contracts/|node_modules/zod/' },
    },
    {
      name: 'no-circular',
      comment: 'Neither of code nor of types: what both need goes to a file of its own, or to the one that is used.',
      severity: 'error',
      // Generated code is as it comes.
      from: { pathNot: '^packages/sdk/src/generated/' },
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'The build is not there yet when lint runs on a clean checkout.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '(^|/)dist/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  },
};
