import tseslint from 'typescript-eslint';

/**
 * Which packages each package may import (docs/architecture.md). Apps never import apps; a protocol package
 * never imports one that does I/O. A missing row allows nothing.
 */
const arrows = {
  runtime: [],
  wire: [],
  linux: [],
  tls: ['linux'],
  http: [],
  mesh: [],
  identity: ['runtime', 'wire'],
  hbone: ['linux', 'tls', 'http', 'identity'],
  xds: ['runtime', 'wire', 'mesh'],
  ztunnel: ['runtime', 'wire', 'linux', 'tls', 'http', 'mesh', 'identity', 'hbone', 'xds'],
  kube: ['runtime'],
  'control-plane': ['runtime', 'kube', 'wire', 'mesh', 'identity', 'xds'],
  lab: ['runtime', 'kube', 'linux'],
  cni: ['runtime', 'kube', 'wire', 'linux'],
  cli: ['runtime', 'kube', 'mesh'],
  testkit: ['runtime', 'wire', 'linux', 'tls', 'http', 'mesh', 'identity', 'hbone', 'xds'],
};
const testOnly = ['testkit'];
const ffiPackages = ['linux', 'tls'];

const arrowRules = Object.entries(arrows).flatMap(([name, allowed]) => {
  const rule = (extra) => {
    const reachable = [...allowed, ...extra];
    const list =
      reachable.length === 0 ? 'no other package' : reachable.map((p) => `@ambient/${p}`).join(', ');
    const patterns = [
      {
        regex: `^@ambient/(?!(?:${['-', ...reachable, ...(extra.length > 0 ? [name] : [])].join('|')})(?:/[a-z-]+)?$)`,
        message: `@ambient/${name} may import ${list}. Move the shared part down, or pass it in from the app (docs/architecture.md).`,
      },
      {
        regex: `^(\\.\\./)+(${Object.keys(arrows).join('|')})/`,
        message: 'Import another package by its name, @ambient/NAME, never by path.',
      },
    ];
    if (!ffiPackages.includes(name))
      patterns.push({
        regex: '^koffi$',
        message: 'Pointers and raw calls live in @ambient/linux and @ambient/tls only.',
      });
    return { 'no-restricted-imports': ['error', { patterns }] };
  };
  return [
    { files: [`packages/${name}/src/**/*.ts`], ignores: ['**/*.test.ts'], rules: rule([]) },
    { files: [`packages/${name}/src/**/*.test.ts`], rules: rule(testOnly) },
  ];
});

export default tseslint.config(
  { ignores: ['node_modules/', 'packages/wire/src/generated/', 'bench/results/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'no-console': 'error',
      eqeqeq: 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['packages/runtime/src/settings/**', 'packages/testkit/src/fuzz-budget.ts', '**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message:
            'Settings come from the schema in @ambient/runtime, passed in; nothing else reads the environment.',
        },
      ],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off', // chai's property assertions
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: 'Tests do not sleep: wait for the event, or pass a paused clock.' },
      ],
    },
  },
  { files: ['bench/**/*.ts', 'scripts/**/*.ts', 'test/**/*.ts'], rules: { 'no-console': 'off' } },
  ...arrowRules,
);
