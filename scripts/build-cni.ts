/**
 * Makes the CNI plugin one executable, for nodes that have no Node.js: `node scripts/build-cni.ts [FILE]`. The file is the
 * Node.js that runs this, with the plugin inside (Node's "single executable application").
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const entry = join(root, 'packages/cni/src/plugin/main.ts');

/**
 * One CommonJS script of a module and all that it imports. For our own sources alone: they have no side effects on each
 * other's load order, no cycles of values, and no top-level await.
 */
function bundle(start: string): string {
  const numbers = new Map<string, number>();
  const functions: string[] = [];
  const add = (path: string): number => {
    const known = numbers.get(path);
    if (known !== undefined) return known;
    const number = numbers.size;
    numbers.set(path, number);
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
      fileName: path,
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2024,
        verbatimModuleSyntax: false,
        removeComments: true,
      },
    });
    const linked = outputText.replaceAll(/\brequire\(["']([^"']+)["']\)/g, (call, name: string) =>
      isBuiltin(name) ? call : `load(${add(locate(name, path))})`,
    );
    functions[number] = `(exports) => {\n${linked}\n}`;
    return number;
  };
  add(start);
  return [
    'const modules = [',
    functions.join(',\n'),
    '];',
    'const loaded = [];',
    'function load(number) {',
    '  if (loaded[number] === undefined) modules[number]((loaded[number] = {}));',
    '  return loaded[number];',
    '}',
    'load(0);',
  ].join('\n');
}

function locate(name: string, from: string): string {
  const path = name.startsWith('.') ? join(dirname(from), name) : fileURLToPath(import.meta.resolve(name));
  if (!path.endsWith('.ts') || path.includes('/node_modules/'))
    throw new Error(
      `${from} imports ${name}: the plugin holds our own sources only, so that it starts quickly`,
    );
  return path;
}

/**
 * Node's own, of which some would change V8's: they must not, since what is compiled into the executable counts for V8 with
 * its standard flags only. `none`: a runtime's NODE_OPTIONS are not meant for the plugin.
 */
const startOptions = {
  // The first does away with parsing Node's list of roots, 8 ms; the second with threads for what a short life never does.
  execArgv: ['--use-openssl-ca', '--v8-pool-size=0'],
  execArgvExtension: 'none',
};

/** The plugin as one CommonJS script. */
export function bundlePlugin(): string {
  return bundle(entry);
}

/** Makes the executable. @param output its path; its directory holds what is made on the way */
export function buildPlugin(output: string): void {
  const workspace = mkdtempSync(join(dirname(output), '.build-cni-'));
  try {
    const main = join(workspace, 'istio-cni.cjs');
    const built = join(workspace, 'istio-cni');
    writeFileSync(main, bundlePlugin());
    const config = join(workspace, 'sea.json');
    const options = {
      main,
      output: built,
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      ...startOptions,
    };
    writeFileSync(config, JSON.stringify(options));
    execFileSync(process.execPath, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(built, output);
  } finally {
    rmSync(workspace, { recursive: true });
  }
}

if (import.meta.main) {
  const output = resolve(process.argv[2] ?? join(root, 'dist/istio-cni'));
  mkdirSync(dirname(output), { recursive: true });
  buildPlugin(output);
  console.log(output);
}
