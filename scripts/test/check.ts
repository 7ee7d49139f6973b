import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { StepResult } from './step.ts';

const root = join(import.meta.dirname, '..', '..');
const tool = (name: string): string => join(root, 'node_modules', '.bin', name);

/** The checks of `npm run check`: name, command, and what to do about a failure. Each counts as one test. */
export const checks = [
  { name: 'types', command: [tool('tsc'), '--noEmit'], remedy: '' },
  { name: 'lint', command: [tool('eslint'), '--max-warnings', '0', '.'], remedy: '' },
  { name: 'format', command: [tool('prettier'), '--check', '.'], remedy: 'npm run format' },
  ...[
    { page: 'settings', script: 'ztunnel/src/settings/print-docs.ts' },
    { page: 'reasons', script: 'ztunnel/src/telemetry/print-reasons.ts' },
    { page: 'metrics', script: 'ztunnel/src/telemetry/print-metrics.ts' },
    { page: 'control-plane-settings', script: 'control-plane/src/settings/print-docs.ts' },
    { page: 'control-plane-metrics', script: 'control-plane/src/print-metrics.ts' },
    { page: 'cni-settings', script: 'cni/src/agent/settings/print-docs.ts' },
    { page: 'cni-metrics', script: 'cni/src/agent/print-metrics.ts' },
  ].map(({ page, script }) => ({
    name: `docs/${page}.md is fresh`,
    command: [process.execPath, `packages/${script}`, '--check'],
    remedy: `npm run docs:${page}`,
  })),
  {
    name: 'links of the pages',
    command: [process.execPath, 'scripts/docs/links.ts'],
    remedy: '',
  },
  {
    name: 'generated messages are fresh',
    command: [process.execPath, 'packages/wire/src/generate.ts', '--check'],
    remedy: 'npm run generate:wire',
  },
  {
    name: 'CRDs are fresh',
    command: [process.execPath, 'scripts/crds/print.ts', '--check'],
    remedy: 'npm run generate:crds',
  },
] as const;

export interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** The command that usually helps, or ''. */
  readonly remedy: string;
}

/** Runs one command and prints its output only if it fails. */
export function runCheck(check: Check): Promise<StepResult> {
  const startedMs = Date.now();
  const [program = '', ...args] = check.command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const collect = (chunk: Buffer): void => {
      output.push(chunk);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    let spawnError = '';
    child.on('error', (error) => {
      spawnError = error.message;
    });
    child.on('close', (code) => {
      const ok = code === 0 && spawnError === '';
      console.log(`  ${ok ? 'ok  ' : 'FAIL'}  ${check.name} (${Date.now() - startedMs} ms)`);
      if (!ok) {
        const text = Buffer.concat(output).toString() + spawnError;
        console.log(text.trimEnd().replace(/^/gm, '        '));
        if (check.remedy !== '') console.log(`        To put it right: ${check.remedy}`);
      }
      resolve({ name: 'check', passed: ok ? 1 : 0, failures: ok ? [] : [`check: ${check.name}`] });
    });
  });
}
