import { expect } from 'chai';
import { parseCommandLine } from './command-line.ts';

describe('command line of the node agent', () => {
  it('runs, tells its version, and compiles for images', () => {
    expect(parseCommandLine([]).kind).to.equal('run');
    expect(parseCommandLine(['-v']).kind).to.equal('version');
    expect(parseCommandLine(['compile']).kind).to.equal('compile');
  });

  it('names an argument that it does not know', () => {
    const command = parseCommandLine(['--compile']);
    expect(command.kind).to.equal('wrong');
    expect(command).to.have.property('problem').that.contains('--compile');
  });
});
