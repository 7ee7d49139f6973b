import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
// ztunnel is a program and exports nothing.
import { SnapshotFile } from '../../../packages/ztunnel/src/discovery/snapshot/snapshot-file.ts';

const HOUR_MS = 3_600_000;

/** Pages of the file system, so that not even a short file has room. */
function fill(directory: string): void {
  const filler = join(directory, 'filler');
  execFileSync('sh', ['-c', 'cat /dev/zero > "$1" 2>/dev/null || true', 'sh', filler]);
}

describe("ztunnel's snapshot on a disk that is full", () => {
  let root: string;
  let directory: string;
  let file: SnapshotFile;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'full-snapshot-'));
    directory = join(root, 'ztunnel');
    mkdirSync(directory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', directory]);
    const path = join(directory, 'mesh');
    const owner = { nodeName: 'n1', clusterId: 'c', network: '', trustDomain: 'cluster.local' };
    file = new SnapshotFile({
      path,
      keyPath: `${path}.key`,
      maxAgeMs: HOUR_MS,
      owner,
      nowMs: () => Date.now(),
    });
  });
  afterEach(() => {
    execFileSync('umount', [directory]);
    rmSync(root, { recursive: true });
  });

  const refusal = (): Promise<string> =>
    file.write([Buffer.alloc(20_000)]).then(
      () => 'it was written',
      (error: Error) => `${error.message}; ${String(error.cause)}`,
    );

  it('keeps the old one, says which file and what to look at, leaves nothing, and goes on when there is space', async () => {
    await file.write([]);
    const old = readFileSync(join(directory, 'mesh'));
    fill(directory);
    expect(await refusal()).to.match(/snapshot \/.*\/mesh cannot be written \(.*free space.*ENOSPC/);
    expect(readFileSync(join(directory, 'mesh')).equals(old)).to.equal(true);
    expect(readdirSync(directory).sort()).to.deep.equal(['filler', 'mesh', 'mesh.key']);
    rmSync(join(directory, 'filler'));
    expect(await refusal()).to.equal('it was written');
    expect(readFileSync(join(directory, 'mesh')).length).to.be.greaterThan(20_000);
  });

  it('that has no key yet either, says so of the key, and makes both when there is space', async () => {
    fill(directory);
    expect(await refusal()).to.match(/key \/.*\/mesh\.key cannot be made \(.*free space.*ENOSPC/);
    expect(readdirSync(directory)).to.deep.equal(['filler']);
    rmSync(join(directory, 'filler'));
    expect(await refusal()).to.equal('it was written');
    expect(readdirSync(directory).sort()).to.deep.equal(['mesh', 'mesh.key']);
  });
});
