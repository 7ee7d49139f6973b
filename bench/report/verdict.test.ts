import { expect } from 'chai';
import type { Row } from '../measures/measure.ts';
import { renderChart } from './chart.ts';
import { renderTable } from './table.ts';
import { judge, median, targetText } from './verdict.ts';

const rate: Row = {
  key: 'rate',
  label: 'requests',
  unit: '/s',
  digits: 0,
  target: { kind: 'reference', bound: 'at least', value: 1.5 },
};
const memory: Row = {
  ...rate,
  key: 'memory',
  label: 'memory',
  target: { kind: 'value', bound: 'at most', value: 90 },
};

describe('verdict', () => {
  it('takes the middle value', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
    expect(median([])).to.be.NaN;
  });

  it('compares medians with the reference, and does not judge it', () => {
    const row = judge('requests', rate, { direct: [9], haproxy: [10, 2, 4], ours: [6, 1, 100], slow: [5] });
    expect(row.cells['ours']).to.deep.equal({ median: 6, ratio: 1.5, passed: true });
    expect(row.cells['slow']).to.deep.equal({ median: 5, ratio: 1.25, passed: false });
    expect(row.cells['haproxy']!.passed).to.equal(undefined);
    expect(row.cells['direct']!.passed).to.equal(undefined);
  });

  it('compares with a fixed value where that is the target', () => {
    const row = judge('memory', memory, { ours: [90], peer: [90.1] });
    expect(row.cells['ours']!.passed).to.equal(true);
    expect(row.cells['peer']!.passed).to.equal(false);
    expect(targetText(memory)).to.equal('<= 90 /s');
  });

  it('passes nobody where the reference was not measured', () => {
    expect(judge('requests', rate, { ours: [6] }).cells['ours']!.passed).to.equal(undefined);
  });

  it('is shown in the table, and a missing value as a dash', () => {
    const rows = [judge('requests', rate, { haproxy: [4], ours: [5] })];
    const lines = renderTable(rows, ['direct', 'haproxy', 'ours']).split('\n');
    expect(lines[2]!.split(/\s{2,}/)).to.deep.equal([
      'requests [/s]',
      '-',
      '4',
      '5',
      '1.25',
      '>= 1.5 x HAProxy',
      'FAIL',
    ]);
  });

  it('is drawn with one bar for each value', () => {
    const rows = [
      judge('requests', rate, { haproxy: [4], ours: [8] }),
      judge('memory', memory, { ours: [70] }),
    ];
    const svg = renderChart(rows, ['haproxy', 'ours'], 'a < b');
    expect(svg.match(/rx="2"/g)).to.have.length(3);
    expect(svg).to.contain('a &lt; b').and.to.contain('✓').and.not.to.contain('NaN');
  });
});
