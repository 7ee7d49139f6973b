import { expect } from 'chai';

import { parseLabCommand } from './command-line.ts';

const run = (...args: string[]) => parseLabCommand(['run', '--directory', '/run/lab', ...args]);

describe('the command line of the lab', () => {
  it('has defaults for everything but the directory', () => {
    expect(run()).to.deep.equal({
      kind: 'run',
      run: {
        name: 'lab',
        directory: '/run/lab',
        nodes: 2,
        ipv6: true,
        mtu: undefined,
        mesh: true,
        samples: true,
        readyFd: undefined,
        publicUrl: undefined,
      },
    });
  });

  it('takes what differs', () => {
    const command = run(
      '--name',
      'a',
      '--nodes',
      '16',
      '--ipv4-only',
      '--mtu',
      '9000',
      '--no-mesh',
      '--ready-fd',
      '3',
    );
    expect(command).to.deep.nested.include({
      'run.name': 'a',
      'run.nodes': 16,
      'run.ipv6': false,
      'run.mtu': 9000,
      'run.mesh': false,
      'run.readyFd': 3,
    });
  });

  for (const [args, problem] of [
    [[], 'the one command is run'],
    [['run'], '--directory is missing'],
    [['run', 'again', '--directory', 'x'], 'the one command is run'],
    [['run', '--directory', 'x', '--nodes', '0'], '--nodes 0: from 1 to 16'],
    [['run', '--directory', 'x', '--nodes', '17'], 'from 1 to 16'],
    [['run', '--directory', 'x', '--nodes', '2.5'], 'from 1 to 16'],
    [['run', '--directory', 'x', '--mtu', 'large'], '--mtu large'],
    [['run', '--directory', 'x', '--ready-fd', '-1'], '--ready-fd'],
    [['run', '--directory', 'x', '--frobnicate'], '--frobnicate'],
  ] as const)
    it(`refuses ${JSON.stringify(args)}`, () => {
      const command = parseLabCommand(args);
      expect(command.kind).to.equal('wrong');
      expect(command).to.have.property('problem').that.contains(problem);
    });
});
