import { expect } from 'chai';
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MeshUpdate } from '@ambient/mesh';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import { LocalSourceError } from '../errors.ts';
import { LocalSource } from './local-source.ts';

function entry(uid: string, name = uid): string {
  return `- {uid: ${uid}, name: ${name}, namespace: ns, workloadIps: []}\n`;
}

function policyOf(name: string, action = 'Deny'): string {
  return `- {name: ${name}, namespace: ns, scope: Global, action: ${action}, dryRun: false, rules: []}\n`;
}

/** A local mesh file, and what its source reports of it. */
class Rig implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'local-xds-'));
  readonly file = path.join(this.folder, 'mesh.yaml');
  readonly emitted: string[] = [];
  readonly rejected: string[] = [];
  readonly log: string[] = [];
  readonly source: LocalSource;
  #changed: () => void = () => {};

  constructor(text: string, clock: Clock = new ManualClock()) {
    writeFileSync(this.file, text);
    this.source = new LocalSource({
      document: { path: this.file },
      onUpdate: (updates) => {
        this.emitted.push(...updates.map(describeUpdate));
        this.#changed();
      },
      onReject: (rejected) => this.rejected.push(...rejected.map((error) => error.message)),
      log: new Logger(
        new LogLevels('info'),
        { write: (level, _scope, message) => this.log.push(`${level} ${message}`) },
        'xds',
      ),
      clock,
    });
  }

  /** Takes the list of what was emitted since the last take. */
  take(): string[] {
    return this.emitted.splice(0);
  }

  edit(text: string): string[] {
    writeFileSync(this.file, text);
    this.source.reload();
    return this.take();
  }

  async nextUpdate(): Promise<void> {
    return new Promise((resolve) => (this.#changed = resolve));
  }

  [Symbol.dispose](): void {
    this.source[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
  }
}

function describeUpdate(update: MeshUpdate): string {
  switch (update.kind) {
    case 'workload':
      return `workload ${update.workload.uid} ${update.workload.name}`;
    case 'service':
      return `service ${update.service.hostname}`;
    default:
      return `${update.kind} ${update.key}`;
  }
}

describe('LocalSource', () => {
  it('emits the whole document first, then only differences, removals last', () => {
    using rig = new Rig(`workloads:\n${entry('a')}${entry('b')}policies:\n${policyOf('p')}`);
    rig.source.start();
    expect(rig.take()).to.deep.equal(['policy ns/p', 'workload a a', 'workload b b']);
    expect(rig.edit(`workloads:\n${entry('b', 'renamed')}${entry('c')}`)).to.deep.equal([
      'workload b renamed',
      'workload c c',
      'remove-address a',
      'remove-policy ns/p',
    ]);
    expect(rig.source.status()).to.deep.include({ entries: 2, loads: 2, rejected: [], lastError: '' });
  });

  it('emits nothing when the text changes and its meaning does not', () => {
    using rig = new Rig(`workloads:\n${entry('a')}`);
    rig.source.start();
    rig.take();
    expect(rig.edit(`# comment\nworkloads:\n\n${entry('a')}`)).to.deep.equal([]);
  });

  it('keeps the last good state when the file becomes malformed or vanishes, and says so', () => {
    using rig = new Rig(`workloads:\n${entry('a')}`);
    rig.source.start();
    rig.take();
    expect(rig.edit('workloads: [}')).to.deep.equal([]);
    expect(rig.source.status().lastError).to.include('LOCAL_XDS_PATH');
    expect(rig.log.at(-1)).to.match(/^error .*last good state stays/);
    unlinkSync(rig.file);
    rig.source.reload();
    expect(rig.source.status()).to.include({ entries: 1 });
    expect(rig.source.status().lastError).to.include('ENOENT');
    expect(rig.edit(`workloads:\n${entry('a', 'back')}`)).to.deep.equal(['workload a back']);
    expect(rig.source.status().lastError).to.equal('');
  });

  it('keeps an entry that becomes bad as it was, and applies the rest', () => {
    using rig = new Rig(`workloads:\n${entry('a')}policies:\n${policyOf('p')}`);
    rig.source.start();
    rig.take();
    expect(
      rig.edit(`workloads:\n${entry('a', '5')}${entry('b')}policies:\n${policyOf('p', 'Maybe')}`),
    ).to.deep.equal(['workload b b']);
    expect(rig.rejected).to.have.length(2);
    expect(rig.source.status().rejected.join())
      .to.include('a: workloads[0].name')
      .and.include('ns/p: policies[0].action');
    expect(rig.source.status().entries).to.equal(3);
    expect(rig.edit(`workloads:\n${entry('b')}`)).to.deep.equal(['remove-address a', 'remove-policy ns/p']);
  });

  it('refuses to start without a usable document', () => {
    using malformed = new Rig('workloads: [}');
    expect(() => malformed.source.start())
      .to.throw(LocalSourceError)
      .with.property('code', 'LOCAL_XDS_MALFORMED');
    using missing = new Rig('');
    unlinkSync(missing.file);
    expect(() => missing.source.start())
      .to.throw(LocalSourceError)
      .with.property('code', 'LOCAL_XDS_UNREADABLE');
  });

  it('takes a document from the environment', () => {
    const updates: MeshUpdate[] = [];
    using source = new LocalSource({
      document: { yaml: `workloads:\n${entry('a')}` },
      onUpdate: (list) => updates.push(...list),
      log: new Logger(new LogLevels('off'), { write: () => {} }, 'xds'),
    });
    source.start();
    expect(updates.map(describeUpdate)).to.deep.equal(['workload a a']);
  });

  it('sees a file that is replaced, and one behind a link that moves, as in a mounted config map', async () => {
    // Timers fire as soon as they are set: the test waits for the file system, not for time.
    const clock: Clock = {
      nowMs: () => 0,
      setTimer: (_ms, fn) => {
        queueMicrotask(fn);
        return { [Symbol.dispose]: () => {} };
      },
    };
    using rig = new Rig(`workloads:\n${entry('a')}`, clock);
    rig.source.start();
    rig.take();
    const replaced = rig.nextUpdate();
    const next = path.join(rig.folder, 'next.yaml');
    writeFileSync(next, `workloads:\n${entry('b')}`);
    renameSync(next, rig.file);
    await replaced;
    expect(rig.take()).to.deep.equal(['workload b b', 'remove-address a']);
    const moved = rig.nextUpdate();
    writeFileSync(next, `workloads:\n${entry('c')}`);
    const link = path.join(rig.folder, 'link');
    symlinkSync(next, link);
    renameSync(link, rig.file);
    await moved;
    expect(rig.take()).to.deep.equal(['workload c c', 'remove-address b']);
  });

  it('loads once for a burst of events, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    using rig = new Rig(`workloads:\n${entry('a')}`, clock);
    rig.source.start();
    await new Promise<void>((resolve) => {
      const wait: Clock['setTimer'] = clock.setTimer.bind(clock);
      clock.setTimer = (ms, fn) => {
        resolve();
        return wait(ms, fn);
      };
      writeFileSync(rig.file, `workloads:\n${entry('b')}`);
    });
    expect(clock.pendingTimers).to.equal(1);
    rig.source[Symbol.dispose]();
    expect(clock.pendingTimers).to.equal(0);
    expect(rig.source.status().loads).to.equal(1);
  });
});
