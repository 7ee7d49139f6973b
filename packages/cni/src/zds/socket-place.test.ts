import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UnixSocket } from '@ambient/linux';
import { isListening, SocketPlace } from './socket-place.ts';

describe('place at the socket for ztunnel', () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'place-'));
    path = join(directory, 'run', 'ztunnel.sock');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('belongs to who came last, and the one before is seen until he ends', async () => {
    const first = new SocketPlace(path);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect([first.holder, await first.beforeListens()]).to.deep.equal(['own', false]);
    const second = new SocketPlace(path);
    expect([first.holder, second.holder]).to.deep.equal(['other', 'own']);
    expect(await second.beforeListens()).to.equal(true);
    first.close();
    expect(await second.beforeListens()).to.equal(false);
    expect([second.holder, existsSync(path)], 'his end takes nothing away').to.deep.equal(['own', true]);
    second.close();
    expect(readdirSync(join(directory, 'run'))).to.deep.equal([]);
  });

  it('is nobody’s when the file was removed', () => {
    const place = new SocketPlace(path);
    rmSync(path);
    expect(place.holder).to.equal('nobody');
    place.close();
  });

  it('tells a listener from a file that was left, and is not heard by him', async () => {
    expect(await isListening(path), 'no file').to.equal(false);
    const place = new SocketPlace(path);
    expect(await isListening(path)).to.equal(true);
    expect(place.listener.accept()).to.equal(undefined);
    UnixSocket.connect(path, 'seqpacket').close();
    place.listener.close();
    expect(await isListening(path), 'its process has ended').to.equal(false);
  });

  it('is taken from a file that is no socket', async () => {
    const place = new SocketPlace(path);
    rmSync(path);
    writeFileSync(path, '');
    const again = new SocketPlace(path);
    expect([again.holder, await again.beforeListens()]).to.deep.equal(['own', false]);
    place.close();
    again.close();
  });
});
