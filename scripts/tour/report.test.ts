import { expect } from 'chai';
import { Report } from './report.ts';
import { columnsOf, fit, formatBytes, Style, wrapWords } from './style.ts';

function reportOf(columns: number, isTerminal = false) {
  let text = '';
  const output = { isTerminal, columns, write: (more: string) => void (text += more) };
  return { report: new Report(output, new Style(false)), text: () => text };
}

describe('the report of the tour', () => {
  it('keeps to the width, whatever it says', async () => {
    const { report, text } = reportOf(50);
    await report.run([
      {
        title: 'Long',
        run(step) {
          step.say('one word after the other '.repeat(10));
          step.check(true, 'something that takes more than one line of the terminal to be said');
          step.hanging('a log', [
            ['key=value '.trim(), 'other=value', 'and=so', 'on=and', 'on=and', 'on=again'],
          ]);
          return Promise.resolve('done');
        },
      },
    ]);
    report.summary([]);
    const longest = Math.max(...text().split('\n').map(columnsOf));
    expect(longest).to.be.at.most(50);
  });

  it('goes on after a claim that did not hold, and tells in the end', async () => {
    const { report, text } = reportOf(80);
    let second = false;
    await report.run([
      {
        title: 'First',
        run(step) {
          step.check(false, 'the answer is right');
          return Promise.resolve('wrong answer');
        },
      },
      { title: 'Second', run: () => Promise.resolve(String((second = true))) },
    ]);
    report.summary([]);
    expect(second).to.equal(true);
    expect(report.allHeld).to.equal(false);
    expect(text()).to.contain('✗ First').and.to.contain('✓ Second').and.to.contain('Not everything');
  });

  it('ends at a step that throws, with its words', async () => {
    const { report, text } = reportOf(80);
    let second = false;
    await report.run([
      { title: 'First', run: () => Promise.reject(new Error('no namespace\nrun as root')) },
      { title: 'Second', run: () => Promise.resolve(String((second = true))) },
    ]);
    expect(second).to.equal(false);
    expect(report.allHeld).to.equal(false);
    expect(text()).to.contain('✗ no namespace').and.to.contain('run as root');
  });

  it('shows what it waits for on a terminal only', () => {
    const [pipe, terminal] = [reportOf(80), reportOf(80, true)];
    for (const { report } of [pipe, terminal]) report.progress('starting');
    expect(pipe.text()).to.equal('');
    expect(terminal.text()).to.contain('starting');
  });
});

describe('layout', () => {
  it('wraps words, and gives a long one a line of its own', () => {
    expect(wrapWords(['a', 'bb', 'cccccccc', 'd'], 5)).to.deep.equal(['a bb', 'cccccccc', 'd']);
  });

  it('does not count colours', () => {
    expect(columnsOf(new Style(true).paint('red', 'four'))).to.equal(4);
    expect(new Style(false).paint('red', 'four')).to.equal('four');
  });

  it('cuts visibly', () => {
    expect(fit('checkout', 8)).to.equal('checkout');
    expect(fit('checkout', 5)).to.equal('chec…');
  });

  it('writes bytes for people', () => {
    expect([0, 999, 1000, 999_949, 999_950, 12_345_678].map(formatBytes)).to.deep.equal([
      '0 B',
      '999 B',
      '1.0 kB',
      '999.9 kB',
      '1.0 MB',
      '12.3 MB',
    ]);
  });
});
