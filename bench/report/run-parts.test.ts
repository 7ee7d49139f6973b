import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { atMost } from '../measures/measure.ts';
import { runParts } from './run-parts.ts';
import type { Part } from './run-parts.ts';

const row = { key: 'delay', label: 'delay', unit: 'ms', digits: 0, ...atMost(10) };

function part(name: string, ...values: readonly number[]): Part {
  return {
    name,
    rows: [row],
    measure: ({ samples }) => {
      samples['delay'] = [...values];
      return Promise.resolve();
    },
  };
}

describe('runParts', () => {
  let output: string;
  let told: string[];
  beforeEach(() => {
    output = mkdtempSync(join(tmpdir(), 'run-parts-'));
    told = [];
  });
  afterEach(() => {
    rmSync(output, { recursive: true });
  });
  const run = (parts: readonly Part[]): Promise<number> =>
    runParts(
      { parts, file: 'test', effort: { rounds: 1 }, note: 'beside the test', output },
      { print: (line) => void told.push(line), progress: () => undefined },
    );

  it('gives 0 if every target was reached, and keeps what was measured', async () => {
    expect(await run([part('short', 3, 5, 4), part('long', 9)])).to.equal(0);
    expect(readdirSync(output)).to.deep.equal(['test.json']);
    const record = JSON.parse(readFileSync(join(output, 'test.json'), 'utf8')) as {
      readonly effort: unknown;
      readonly rows: readonly { readonly measure: string; readonly cells: { readonly ours: object } }[];
    };
    expect(record.effort).to.deep.equal({ rounds: 1 });
    expect(record.rows.map(({ measure, cells }) => [measure, cells.ours])).to.deep.equal([
      ['short', { median: 4, passed: true }],
      ['long', { median: 9, passed: true }],
    ]);
  });

  it('gives 1 if one was missed', async () => {
    expect(await run([part('short', 3), part('long', 11)])).to.equal(1);
  });

  it('goes on after a part that failed, names it, and gives 1', async () => {
    const broken: Part = { ...part('broken'), measure: () => Promise.reject(new Error('no such pod')) };
    expect(await run([broken, part('short', 3)])).to.equal(1);
    expect(told).to.include('not measured: broken: no such pod');
    expect(told[0]).to.match(/delay \[ms\] +3 .*pass/);
  });
});
