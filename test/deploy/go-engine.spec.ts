import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { temporaryFolder } from '#lib/testing';
import { renderChart, type Values } from '#tools/helm-render';
import { describe, expect, it } from 'vitest';
import { chartFolder } from '../../tools/helm-render/manifests.js';
import { variants } from './variants.js';

/** Debian's golang-go and golang-github-masterminds-sprig-dev. */
const libraries = '/usr/share/gocode';
const isThere = existsSync(`${libraries}/src/github.com/Masterminds/sprig`) && existsSync('/usr/bin/go');

describe.runIf(process.env['ROOST_FULL'] === '1' && isThere)('our renderer', () => {
  it("writes what Go's own template engine with Sprig writes, letter by letter", { timeout: 300_000 }, () => {
    const folder = temporaryFolder();
    const [program, valuesFile] = [join(folder, 'render'), join(folder, 'values.json')];
    const source = fileURLToPath(new URL('./go-engine/main.go', import.meta.url));
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: libraries, GOCACHE: join(folder, 'cache') };
    execFileSync('go', ['build', '-o', program, source], { env });
    for (const values of Object.values(variants)) {
      const own = parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8')) as Values;
      writeFileSync(valuesFile, JSON.stringify(overlay(own, values)));
      const text = execFileSync(program, [chartFolder, valuesFile, 'roost', 'roost'], { encoding: 'utf8' });
      const { 'NOTES.txt': notes = '', ...files } = JSON.parse(text) as Record<string, string>;
      const ours = renderChart({ chart: chartFolder, release: 'roost', namespace: 'roost', values });
      expect(ours.notes).toBe(notes.trim());
      for (const [file, theirs] of Object.entries(files)) expect(ours.files.get(file) ?? '').toBe(theirs.trim());
    }
  });
});

function overlay(base: Values, over: Values): Values {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    const isMap = [value, below].every((side) => typeof side === 'object' && side !== null && !Array.isArray(side));
    merged[key] = isMap ? overlay(below as Values, value as Values) : value;
  }
  return merged;
}
