import { expect } from 'chai';
import type { LocalSettings } from './settings.ts';
import { PeerSettings, SETTING_BYTES, settingEntries } from './settings.ts';

const local: LocalSettings = {
  initialWindowSize: 65_535,
  connectionWindowSize: 65_535,
  maxFrameSize: 16_384,
  maxConcurrentStreams: 100,
  maxHeaderListSize: 16_384,
  headerTableSize: 4096,
};

function payload(entries: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc((entries.length / 2) * SETTING_BYTES);
  for (let i = 0; i < entries.length; i += 2) {
    bytes.writeUInt16BE(entries[i]!, (i / 2) * SETTING_BYTES);
    bytes.writeUInt32BE(entries[i + 1]!, (i / 2) * SETTING_BYTES + 2);
  }
  return bytes;
}

describe('settings of a private kind', () => {
  it('are told, and heard by a peer', () => {
    const entries = settingEntries('client', { ...local, experimental: new Map([[0xf3a7, 0xfedcba98]]) });
    const bytes = payload(entries);
    const peer = new PeerSettings();
    expect(peer.apply(bytes, 0, bytes.length, false)).to.equal(undefined);
    expect([...peer.experimental]).to.deep.equal([[0xf3a7, 0xfedcba98]]);
  });

  it('are not told unless asked for, and others that nobody knows are ignored', () => {
    expect(settingEntries('server', local).filter((_, i) => i % 2 === 0)).to.deep.equal([1, 3, 4, 5, 6]);
    const bytes = payload([0x99, 1, 0xefff, 1]);
    const peer = new PeerSettings();
    expect(peer.apply(bytes, 0, bytes.length, false)).to.equal(undefined);
    expect(peer.experimental.size).to.equal(0);
  });

  it('are kept up to a bound', () => {
    const bytes = payload(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 0xf000 + i : i)));
    const peer = new PeerSettings();
    peer.apply(bytes, 0, bytes.length, false);
    expect(peer.experimental.size).to.equal(8);
  });
});
