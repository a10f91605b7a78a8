// The rooms and their import arrows. A red line here means a file stands in the wrong room.
const room = (name) => `^src/${name}/`;
const onlyTo = (name, allowed, comment) => ({
  name: `${name}-arrows`,
  severity: 'error',
  comment,
  from: { path: room(name) },
  to: { path: '^(src|tools)/', pathNot: [room(name), ...allowed.map(room)] },
});

/** Folders of one room, each allowed to import those named after it; what stands right in the room is `.`. */
const within = (room, arrows) =>
  Object.entries(arrows).map(([folder, allowed]) => ({
    name: `${room.replaceAll('/', '-')}-${folder}-arrows`,
    severity: 'error',
    comment: `of ${room}, ${folder} may import: ${allowed.join(', ') || 'nothing'}`,
    from: { path: folderOf(room, folder), pathNot: SUPPORT },
    to: { path: `^${room}/`, pathNot: [folder, ...allowed].map((other) => folderOf(room, other)) },
  }));
const folderOf = (room, folder) => (folder === '.' ? `^${room}/[^/]+$` : `^${room}/${folder}/`);
/** Tests and test support may look anywhere. */
const SUPPORT = '\\.test\\.tsx?$|/testing/';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-arrows',
      severity: 'error',
      comment: 'core imports base, and no package but through it',
      from: { path: room('core'), pathNot: '\\.test\\.ts$' },
      to: { pathNot: [room('core'), room('base')] },
    },
    {
      name: 'one-door-to-schemas',
      severity: 'error',
      comment:
        'whoever takes the schema library from elsewhere may make schemas before it knows the page’s policy',
      from: { path: '^src/', pathNot: '^src/base/zod\\.ts$' },
      to: { path: '^node_modules/zod' },
    },
    onlyTo('base', [], 'base imports nothing of ours'),
    onlyTo('nn', ['base', 'core'], 'nn may import base and core'),
    onlyTo('storage', ['base', 'core'], 'storage may import base and core'),
    onlyTo('runtime', ['base', 'core', 'nn', 'storage'], 'runtime may import base, core, nn and storage'),
    ...['session', 'lens-training', 'evaluation'].map((name, i, order) => ({
      name: `runtime-${name}-arrows`,
      severity: 'error',
      comment: 'session knows none of its users, and only the engine knows the engine',
      from: { path: room(`runtime/${name}`), pathNot: '\\.test\\.ts$' },
      to: {
        path: '^src/runtime/',
        pathNot: order.slice(0, i + 1).map((allowed) => room(`runtime/${allowed}`)),
      },
    })),
    {
      name: 'ui-arrows',
      severity: 'error',
      comment: 'ui may import core and, of the runtime, only its client and protocol',
      from: { path: room('ui') },
      to: {
        path: '^(src|tools)/',
        pathNot: [room('ui'), room('core'), '^src/runtime/engine/(client|protocol)', '^src/base/'],
      },
    },
    ...within('src/core', {
      tree: [],
      lexical: ['tree'],
      parameters: [],
      context: ['tree', 'lexical', 'parameters'],
      trace: ['tree', 'context', 'parameters'],
      policies: ['tree', 'lexical', 'context', 'trace', 'parameters'],
      allocator: ['tree', 'lexical', 'context', 'trace', 'policies', 'parameters'],
      heads: ['tree', 'lexical', 'context', 'trace', 'policies', 'allocator', 'parameters'],
      profile: [],
    }),
    ...within('src/core/allocator', { pass: [], strategies: ['pass'], '.': ['pass', 'strategies'] }),
    ...within('src/storage', {
      '.': [],
      files: [],
      memory: ['.'],
      versions: [],
      journal: ['.', 'memory'],
      indexeddb: ['.', 'memory', 'versions', 'journal'],
      trace: ['.', 'indexeddb', 'versions'],
      ctx: ['.', 'trace', 'versions'],
    }),
    ...within('src/nn', {
      'model-folder': [],
      '.': ['model-folder'],
      gpu: ['.', 'model-folder'],
      backend: ['.', 'gpu'],
      'base-model': ['.', 'backend', 'gpu', 'model-folder'],
      'gist-net': ['.', 'backend', 'base-model', 'model-folder'],
      'lens-net': ['.', 'backend', 'base-model', 'model-folder'],
      profiling: ['.', 'model-folder'],
      router: ['.', 'model-folder'],
    }),
    ...within('src/ui', {
      widgets: [],
      model: [],
      words: ['model'],
      commands: ['model'],
      view: ['widgets', 'model', 'words', 'commands'],
      features: ['widgets', 'model', 'words', 'commands', 'view'],
      app: ['widgets', 'model', 'words', 'commands', 'view', 'features', 'styles'],
    }),
    {
      name: 'no-feature-imports-another',
      severity: 'error',
      comment: 'what two features share goes down to model, view or widgets; app puts features together',
      from: { path: '^src/ui/features/([^/]+)/' },
      to: { path: '^src/ui/features/', pathNot: '^src/ui/features/$1/' },
    },
    ...within('src/nn/lens-net', { '.': ['variants'], variants: [] }),
    ...within('src/runtime', {
      session: [],
      'lens-training': ['session'],
      evaluation: ['session', 'lens-training'],
      engine: ['session', 'lens-training', 'evaluation'],
    }),
    {
      name: 'tools-without-ui',
      severity: 'error',
      from: { path: '^tools/' },
      to: { path: room('ui') },
    },
    {
      name: 'only-nn-imports-tfjs',
      severity: 'error',
      from: { path: '^(src|tools)/', pathNot: room('nn') },
      to: { path: 'node_modules/@tensorflow/' },
    },
    {
      name: 'only-storage-imports-idb',
      severity: 'error',
      from: { path: '^(src|tools)/', pathNot: room('storage') },
      to: { path: 'node_modules/(idb|fake-indexeddb)/' },
    },
    {
      name: 'charts-are-fetched',
      severity: 'error',
      comment: 'the chart library comes with the dialogs that draw charts, not with the first load',
      from: { path: '^src/', pathNot: '^src/ui/(features/(evaluate|training)/|widgets/chart)' },
      to: { path: '^src/ui/widgets/chart|node_modules/@observablehq/' },
    },
    {
      name: 'parts-are-fetched',
      severity: 'error',
      comment:
        'Markdown comes with the first answer, the explorer when it is opened, logs with the first file',
      from: { path: '^src/ui/', pathNot: '\\.test\\.tsx?$' },
      to: {
        path: '^src/ui/features/(chat/answer-markdown|explorer/tree-explorer|inspector/inspector-panel)\\.tsx$|^src/core/history-import/import-history\\.ts$',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'large-dialogs-are-fetched',
      severity: 'error',
      comment: 'import() them: the first load does not pay for them',
      from: { path: '^src/' },
      to: {
        path: '^src/ui/features/(branch|compare|evaluate|models|profile|sessions|training)/[^/]+-dialog\\.tsx$',
        dynamic: false,
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'] },
  },
};
