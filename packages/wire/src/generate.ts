/**
 * Generates `generated/messages.js` and its declarations from `proto/`: one static module, so that a process that imports it
 * runs no code generation and keeps no descriptors in memory. Development only; nothing imports this file.
 *
 * `node packages/wire/src/generate.ts` writes; with `--check` it only compares, and exits 1 when the files are stale.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../..');
const protoFolder = path.join(root, 'proto');
const target = path.join(import.meta.dirname, 'generated');
const banner = '// Generated from proto/ by `npm run generate:wire`. Do not edit.\n';

/** The generated files: name to content. */
export function generate(): Map<string, string> {
  const tools = path.join(path.dirname(createRequire(import.meta.url).resolve('protobufjs-cli')), 'bin');
  const run = (tool: string, args: readonly string[]): void => {
    execFileSync(process.execPath, [path.join(tools, tool), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
  const protos = readdirSync(protoFolder)
    .filter((name) => name.endsWith('.proto'))
    .sort()
    .map((name) => path.join(protoFolder, name));
  // Encode and decode only. 64-bit fields hold seconds, which fit a number.
  const options = [
    ...[
      '-t',
      'static-module',
      '-w',
      'es6',
      '--es6',
      '--force-number',
      '--no-create',
      '--no-convert',
      '--no-verify',
    ],
    ...['--no-delimited', '--no-typeurl', '--no-service'],
  ];
  const scratch = mkdtempSync(path.join(tmpdir(), 'wire-'));
  try {
    const commented = path.join(scratch, 'commented.js');
    const plain = path.join(scratch, 'plain.js');
    const types = path.join(scratch, 'types.d.ts');
    run('pbjs', [...options, '-o', commented, ...protos]);
    run('pbjs', [...options, '--no-comments', '-o', plain, ...protos]);
    run('pbts', ['-o', types, commented]);
    const source = readFileSync(plain, 'utf8').replace(/^\/\*eslint.*\n/, '');
    const declarations = readFileSync(types, 'utf8').replace(/^import Long = require\("long"\);\n/m, '');
    return new Map([
      // Node's ESM loader sees a CommonJS module's exports only as its default, and wants the file's full name.
      [
        'messages.js',
        banner +
          source.replace(
            /^import .*"protobufjs\/minimal.*$/m,
            'import $protobuf from "protobufjs/minimal.js";',
          ),
      ],
      ['messages.d.ts', banner + declarations],
    ]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Names of the generated files on disk that differ from what `proto/` gives. */
export function staleFiles(): string[] {
  const stale: string[] = [];
  for (const [name, content] of generate()) {
    let present: string | undefined;
    try {
      present = readFileSync(path.join(target, name), 'utf8');
    } catch {
      present = undefined;
    }
    if (present !== content) stale.push(name);
  }
  return stale;
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles();
    if (stale.length > 0) {
      process.stderr.write(`stale: ${stale.join(', ')}. Run npm run generate:wire.\n`);
      process.exitCode = 1;
    }
  } else {
    for (const [name, content] of generate()) writeFileSync(path.join(target, name), content);
  }
}
