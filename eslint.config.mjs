import declaredAccess from './tools/eslint/declared-access.mjs';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', 'packages/sdk/src/generated/**', '**/*.mjs'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.base],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './apps/dashboard/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // An unawaited promise is an error that nobody sees.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-base-to-string': 'error',
      'no-console': 'off',
      'no-control-regex': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'prefer-const': 'error',
      eqeqeq: 'error',
    },
  },
  {
    // Misuses that must not compile stand under directives that say so.
    files: ['packages/*/test/types/**/*.ts'],
    rules: { '@typescript-eslint/ban-ts-comment': 'off', '@typescript-eslint/await-thenable': 'off' },
  },
  {
    files: ['apps/gateway/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    plugins: { roost: { rules: { 'declared-access': declaredAccess } } },
    rules: { 'roost/declared-access': 'error' },
  },
);
