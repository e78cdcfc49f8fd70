// The rules that a program which must never fall over needs most: no promise is left alone, every
// union is switched exhaustively, nothing is `any`. Import rules are those of docs/architecture.md;
// test/layers.test.ts checks the same edges and prints the offending one.
import tseslint from 'typescript-eslint'

const noConsole = { 'no-console': 'error' }
const forbid = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] })

export default tseslint.config(
  {
    ignores: [
      'dist',
      'tools',
      'deploy',
      '.cache',
      'coverage',
      'node_modules',
      '**/gen/**',
      'eslint.config.js',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...noConsole,
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 400 }],
      complexity: ['error', 12],
    },
  },
  {
    files: ['mailbox/**'],
    rules: forbid('**/proxy/**', '**/src/!(base|http2)/**', '**/src/*.ts'),
  },
  {
    files: ['proxy/**'],
    rules: forbid('**/mailbox/**', '**/src/!(base|http2)/**', '**/src/*.ts'),
  },
  {
    files: ['src/base/**', 'src/http2/**'],
    rules: forbid('**/mailbox/**', '**/proxy/**', '../!(base)/**', '../*.ts'),
  },
  { files: ['src/config/**'], rules: forbid('**/mailbox/**', '**/proxy/**') },
  {
    files: ['web/**'],
    languageOptions: {
      parserOptions: { project: './web/tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: forbid('**/src/!(admin)/**', '**/src/*.ts', '**/mailbox/**', '**/proxy/**'),
  },
  { files: ['src/cli/**', 'bench/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'fast-check', message: 'Import it from test/fast-check.ts.' }] },
      ],
      'max-lines-per-function': 'off',
      complexity: 'off',
      'no-console': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'describe', 'it', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
  { files: ['test/fast-check.ts'], rules: { 'no-restricted-imports': 'off' } },
)
