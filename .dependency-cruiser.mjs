/** The arrows of the house: apps → libs, never app → app, never lib → app; contracts knows zod only. */
export default {
  forbidden: [
    {
      name: 'no-app-to-app',
      comment: 'An app knows another only through libs/contracts: ask it over NATS.',
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
      name: 'no-testing-in-production',
      comment: 'The test harness brings servers with it: nothing that runs for users may load it.',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: '(\\.spec\\.ts$|^libs/testing/|/testing/|^apps/[^/]+/test/)' },
      to: { path: '^libs/testing/' },
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
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
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
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
