import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { realClock } from '@ambient/runtime';
import { expect } from 'chai';

import { run } from '../testing/context.ts';
import type { Ran, TestWorld } from '../testing/context.ts';

/** Stands for the lab's program: says what the test wants, and stays until SIGTERM. */
const fakeLab = (says: readonly string[], then: string): string =>
  ['#!/bin/sh', 'echo "$@" > "$5/arguments"', ...says.map((line) => `echo '${line}' >&3`), then, ''].join(
    '\n',
  );

const stays = 'trap "exit 0" TERM; exec 3>&-; while :; do sleep 0.05; done';

describe('ambientctl lab', function () {
  this.timeout(20_000);
  let directory: string;
  let program: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ambientctl-lab-'));
    program = join(directory, 'fake-lab');
  });
  afterEach(async () => {
    await lab(['down', '--all']);
    rmSync(directory, { recursive: true });
  });
  const write = (says: readonly string[], then = stays): void => {
    writeFileSync(program, fakeLab(says, then));
    chmodSync(program, 0o700);
  };
  const lab = (words: readonly string[], world: TestWorld = {}): Promise<Ran> =>
    run(['lab', ...words], {
      labProgram: program,
      clock: realClock,
      environment: { XDG_RUNTIME_DIR: directory },
      ...world,
    });
  const ready = JSON.stringify({ ready: true, kubeconfig: '/run/kubeconfig' });

  it('starts one, shows its progress, leaves it running and ends it', async () => {
    write([JSON.stringify({ phase: 'nodes', text: 'two nodes' }), ready]);
    const up = await lab(['up', '--nodes', '3', '--ipv4-only']);
    expect(up).to.include({ code: 0, out: 'export KUBECONFIG=/run/kubeconfig\n' });
    expect(up.err).to.match(/^two nodes\nlab lab is ready after /);
    const { out } = await lab(['status']);
    expect(out.split('\n')[1]).to.match(/^lab +running +3 +/);
    const again = await lab(['up']);
    expect(again.code).to.equal(1);
    expect(again.err).to.contain('runs already').and.to.contain('lab down --name lab');
    expect((await lab(['down'])).err).to.equal('lab lab is gone\n');
    expect(existsSync(join(directory, 'ambient-labs', 'lab'))).to.equal(false);
    expect((await lab(['status'])).out.split('\n')).to.have.length(2);
  });

  it('runs several side by side', async () => {
    write([ready]);
    await Promise.all([lab(['up', '--name', 'a']), lab(['up', '--name', 'b'])]);
    await lab(['down', '--name', 'a']);
    const { out } = await lab(['status']);
    expect(out)
      .to.match(/\nb +running/)
      .and.not.to.match(/\na /);
    expect((await lab(['logs', 'web'])).err)
      .to.contain('no lab lab runs')
      .and.to.contain('b');
  });

  it('says why one does not start, with the end of its log', async () => {
    write([], 'echo "the kernel forbids it" >&2; exit 3');
    const ran = await lab(['up']);
    expect(ran.code).to.equal(1);
    expect(ran.err).to.contain('did not start').and.to.contain('the kernel forbids it');
  });

  it('says what the lab itself says of its failure', async () => {
    write([JSON.stringify({ failed: 'ztunnel is not ready after 60 s' })]);
    expect((await lab(['up'])).err).to.contain('did not start: ztunnel is not ready after 60 s');
    expect((await lab(['status'])).out).to.match(/lab +gone/);
  });

  it('ends one that says what is no JSON', async () => {
    write(['ready!']);
    expect((await lab(['up'])).err).to.contain('"ready!" where JSON was expected');
    expect((await lab(['status'])).out).to.match(/lab +gone/);
  });

  it('ends one that is interrupted while it starts', async () => {
    write(
      [JSON.stringify({ phase: 'a', text: 'begun' })],
      'trap "exit 0" TERM; while :; do sleep 0.05; done',
    );
    const control = new AbortController();
    const ran = await lab(['up'], { interrupted: control.signal, onErr: () => control.abort() });
    expect(ran.code).to.equal(130);
    expect(existsSync(join(directory, 'ambient-labs', 'lab'))).to.equal(false);
  });

  it('stays with one in the foreground until it is interrupted, and leaves nothing', async () => {
    write([ready]);
    const control = new AbortController();
    const ran = await lab(['up', '--foreground'], {
      interrupted: control.signal,
      onErr: () => control.abort(),
    });
    expect(ran.code).to.equal(0);
    expect(existsSync(join(directory, 'ambient-labs', 'lab'))).to.equal(false);
  });

  it('takes a process of the same number for another one', async () => {
    write([ready], 'exit 0');
    await lab(['up']);
    const state = join(directory, 'ambient-labs', 'lab', 'ambientctl.json');
    writeFileSync(
      state,
      JSON.stringify({ name: 'lab', pid: process.pid, startTicks: '1', nodes: 2, startedAtMs: 0 }),
    );
    expect((await lab(['status'])).out).to.match(/lab +gone/);
    expect((await lab(['down'])).code).to.equal(0);
  });

  for (const [words, text] of [
    [['up', '--name', '../etc'], '--name ../etc'],
    [['up', '--nodes', '0'], 'use 1 to 16'],
    [['down', '--name', 'none'], 'there is no lab none'],
    [['exec', 'web', '--', 'ls'], 'no lab lab runs'],
  ] as const)
    it(`refuses ${words.join(' ')}`, async () => {
      const ran = await lab(words);
      expect(ran.code).to.be.above(0);
      expect(ran.err).to.contain(text);
    });
});
