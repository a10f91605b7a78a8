import tseslint from 'typescript-eslint';
import reactHooks from 'eslint-plugin-react-hooks';

export default tseslint.config(
  {
    ignores: [
      'dist',
      'node_modules',
      'training',
      // AssemblyScript, which is checked by its own compiler.
      'kernels',
      'public',
      '.dependency-cruiser.cjs',
      'eslint.config.js',
      '**/*.mjs',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // IndexedDB may only be named where it is owned.
      'no-restricted-properties': [
        'error',
        {
          object: 'crypto',
          property: 'randomUUID',
          message: 'Missing over plain HTTP: randomId of src/base.',
        },
        {
          object: 'crypto',
          property: 'subtle',
          message: 'Missing over plain HTTP: sha256Hex of src/nn says so.',
        },
      ],
      'no-restricted-globals': ['error', { name: 'indexedDB', message: 'Only src/storage names indexedDB.' }],
    },
  },
  { files: ['src/storage/**'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['src/ui/**/*.{ts,tsx}'], ...reactHooks.configs.flat.recommended },
);
