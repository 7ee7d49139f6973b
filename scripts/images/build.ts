/**
 * Builds the container images with buildah: `npm run build:images -- [--output DIR] [--base IMAGE] [--tag TAG] [PART...]`.
 *
 * --output DIR  writes one docker-archive a part, `DIR/PART.tar`; without it the images stay in buildah's own storage
 * --base IMAGE  what the images stand on: Debian 12 or newer, or what has glibc, a shell and apt-get. Default: debian:bookworm-slim
 * --hub HUB     first part of the names, default `ambient`
 * --tag TAG     default: the version in package.json
 * PART          ztunnel, install-cni, control-plane (default: these), samples (for tests)
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stagePart } from './stage.ts';

const root = join(import.meta.dirname, '../..');
/** Package that each image is made of. */
const parts: Readonly<Record<string, string>> = {
  ztunnel: 'ztunnel',
  'install-cni': 'cni',
  'control-plane': 'control-plane',
  samples: 'testkit',
};
const product = ['ztunnel', 'install-cni', 'control-plane'];

interface Options {
  readonly output: string | undefined;
  readonly base: string;
  readonly hub: string;
  readonly tag: string;
  readonly images: readonly string[];
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      output: { type: 'string' },
      base: { type: 'string', default: 'debian:bookworm-slim' },
      hub: { type: 'string', default: 'ambient' },
      tag: { type: 'string' },
    },
  });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  for (const name of positionals)
    if (parts[name] === undefined)
      throw new Error(`no part "${name}"; one of: ${Object.keys(parts).join(', ')}`);
  return {
    output: values.output,
    base: values.base,
    hub: values.hub,
    tag: values.tag ?? version,
    images: positionals.length > 0 ? positionals : product,
  };
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined)
    throw new Error(`cannot run ${command}: ${error.message}. On Debian and Ubuntu: apt-get install buildah`);
  if (status !== 0) throw new Error(`${command} ${args[0] ?? ''} ended with ${status ?? 'a signal'}`);
}

function build(image: string, { base, hub, tag, output }: Options): void {
  const stage = mkdtempSync(join(tmpdir(), 'ambient-image-'));
  const name = `${hub}/${image}:${tag}`;
  try {
    stagePart(root, parts[image]!, stage);
    if (image === 'install-cni') {
      run(process.execPath, [join(root, 'scripts/build-cni.ts'), join(stage, 'istio-cni')]);
    }
    cpSync(join(root, 'images', `${image}.Containerfile`), join(stage, 'Containerfile'));
    run('buildah', [
      'build',
      '--build-arg',
      `BASE=${base}`,
      '--tag',
      name,
      '--file',
      join(stage, 'Containerfile'),
      stage,
    ]);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  if (output === undefined) return;
  mkdirSync(output, { recursive: true });
  const archive = resolve(output, `${image}.tar`);
  rmSync(archive, { force: true });
  run('buildah', ['push', name, `docker-archive:${archive}:${name}`]);
  console.log(`${archive}: ${Math.round(statSync(archive).size / 1e6)} MB, ${name}`);
}

try {
  const options = readOptions();
  for (const image of options.images) build(image, options);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
