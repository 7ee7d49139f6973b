import { expect } from 'chai';
import type { LogSink } from '@ambient/runtime';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import { SocketUpkeep } from './socket-upkeep.ts';

describe('SocketUpkeep', () => {
  let clock: ManualClock;
  let lines: string[];
  let socket: { holder: 'own' | 'nobody'; failure: Error | undefined; made: number; listenAgain: () => void };
  let upkeep: SocketUpkeep;

  beforeEach(() => {
    clock = new ManualClock();
    lines = [];
    const sink: LogSink = { write: (level, _scope, message) => lines.push(`${level} ${message}`) };
    socket = {
      holder: 'own',
      failure: undefined,
      made: 0,
      listenAgain() {
        if (this.failure !== undefined) throw this.failure;
        this.made += 1;
        this.holder = 'own';
      },
    };
    upkeep = new SocketUpkeep(
      new Map([['ztunnel', socket]]),
      clock,
      new Logger(new LogLevels(), sink, 'sockets'),
    );
  });
  afterEach(async () => {
    await upkeep[Symbol.asyncDispose]();
    expect(clock.pendingTimers).to.equal(0);
  });

  async function look(): Promise<void> {
    clock.advance(1000);
    await new Promise(setImmediate);
  }

  it('leaves alone what is there, and what is missing for a moment only', async () => {
    await look();
    socket.holder = 'nobody';
    await look();
    socket.holder = 'own';
    await look();
    socket.holder = 'nobody';
    await look();
    expect([socket.made, lines]).to.deep.equal([0, []]);
  });

  it('makes anew what stays missing, and tells', async () => {
    socket.holder = 'nobody';
    await look();
    await look();
    await look();
    expect(socket.made).to.equal(1);
    expect(lines).to.deep.equal(['warn a socket of this agent was removed, and is there again']);
  });

  it('tries again what fails', async () => {
    socket.holder = 'nobody';
    socket.failure = new Error('no space');
    await look();
    await look();
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^error .*cannot be made anew/);
    socket.failure = undefined;
    await look();
    expect(socket.made).to.equal(1);
  });
});
