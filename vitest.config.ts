import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const absolute = (path: string) => new URL(path, import.meta.url).pathname;

/** Tests of the whole platform take longest, and a file cannot be divided: begun last, one of them runs on alone. */
class WholePlatformFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isWhole = ({ moduleId }: TestSpecification) => moduleId.startsWith(absolute('./test/'));
    return [...sorted.filter(isWhole), ...sorted.filter((file) => !isWhole(file))];
  }
}

export default defineConfig({
  // SWC compiles the tests as it compiles the build: Nest needs the decorator metadata that esbuild and oxc leave out.
  plugins: [swc.vite({ module: { type: 'es6' } })],
  oxc: false,
  resolve: {
    alias: [
      { find: '#lib/nats-auth/keys', replacement: absolute('./libs/nats-auth/src/keys/index.ts') },
      { find: '#lib/contracts/errors', replacement: absolute('./libs/contracts/src/errors.ts') },
      { find: '#lib/database/roles', replacement: absolute('./libs/database/src/roles/index.ts') },
      { find: /^#lib\/([^/]+)$/, replacement: absolute('./libs') + '/$1/src/index.ts' },
      { find: /^#app\/([^/]+)$/, replacement: absolute('./apps') + '/$1/src/main.ts' },
      { find: '@roost-ai/sdk', replacement: absolute('./packages/sdk/src/index.ts') },
      { find: /^#tools\/([^/]+)$/, replacement: absolute('./tools') + '/$1/index.ts' },
    ],
  },
  test: {
    include: ['{apps,libs,packages,tools,test}/**/*.spec.ts'],
    globalSetup: ['libs/testing/src/global-setup.ts'],
    pool: 'forks',
    // Three processes for all files: one for each would load the frameworks anew, which took as long as the quick half of
    // the tests. So a suite must give back what it changes of its process (environment, clock), and end what it began.
    // One more than CI has processors, since suites wait for timers, kills and other processes. With two more, a slow machine
    // runs into timeouts that no user meets.
    isolate: false,
    maxWorkers: 3,
    sequence: { sequencer: WholePlatformFirst },
    // Ends what hangs, and nothing that a slow machine still does: no test has a shorter one of its own.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // As long as `until` waits: a full machine takes longer than the second that is vitest's own choice.
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default'],
  },
});
