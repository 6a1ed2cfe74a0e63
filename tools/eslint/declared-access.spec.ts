import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { expect, it } from 'vitest';
// @ts-expect-error a rule in JavaScript, as eslint loads it
import rule from './declared-access.mjs';

const linter = new Linter();
const complaints = (method: string) =>
  linter
    .verify(`class C { ${method} }`, {
      languageOptions: { parser: tseslint.parser as Linter.Parser },
      plugins: { roost: { rules: { 'declared-access': rule as never } } },
      rules: { 'roost/declared-access': 'error' },
    })
    .map(({ message }) => message);

it('a route without declared access does not pass', () => {
  expect(complaints(`@Get('x') naked() {}`)).toEqual(['@Get without @Endpoint: state who may call naked']);
  expect(complaints(`@Post() @HttpCode(200) naked() {}`)).toHaveLength(1);
  expect(complaints(`@Get('x') @Endpoint({ access: 'public' }) open() {}`)).toEqual([]);
  expect(complaints(`@MessagePattern('x') bus() {} plain() {}`)).toEqual([]);
});
