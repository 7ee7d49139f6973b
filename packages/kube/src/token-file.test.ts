import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { TokenFile } from './token-file.ts';

describe('TokenFile', () => {
  let folder: string;
  let path: string;
  let nowMs: number;
  let file: TokenFile;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ambient-token-'));
    path = join(folder, 'token');
    nowMs = 0;
    file = new TokenFile(path, () => nowMs);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is looked at every ten seconds', () => {
    writeFileSync(path, 'one\n');
    expect(file.token).equal('one');
    writeFileSync(path, 'two');
    nowMs += 9999;
    expect(file.token).equal('one');
    nowMs += 1;
    expect(file.token).equal('two');
  });

  it('is looked at after a refusal, which another token may overcome', () => {
    writeFileSync(path, 'one');
    expect(file.token).equal('one');
    expect(file.isRenewed('one')).equal(false);
    writeFileSync(path, 'two');
    expect(file.isRenewed('one')).equal(true);
    expect(file.token).equal('two');
  });

  it('is looked at each time while it cannot be read', () => {
    expect(() => file.token).throws(path);
    writeFileSync(path, '');
    expect(() => file.token).throws('empty');
    writeFileSync(path, 'one');
    expect(file.token).equal('one');
  });

  it('goes on with the last token while the file is gone, empty or garbage, and takes the next one', () => {
    writeFileSync(path, 'one');
    expect(file.token).equal('one');
    for (const spoil of [
      () => rmSync(path),
      () => writeFileSync(path, ''),
      () => writeFileSync(path, 'two lines\nof text'),
      () => writeFileSync(path, Buffer.from([0, 0xff, 0x80, 0x0a, 0x41])),
    ]) {
      spoil();
      nowMs += 10_000;
      expect(file.token).equal('one');
      expect(() => file.isRenewed('one')).throws(path);
    }
    writeFileSync(path, 'two');
    expect(file.token).equal('two');
  });

  it('that never held a token that can be sent is told of', () => {
    writeFileSync(path, Buffer.from([0x41, 0xff, 0x0a, 0x42]));
    expect(() => file.token).throws('not one line of text');
  });
});
