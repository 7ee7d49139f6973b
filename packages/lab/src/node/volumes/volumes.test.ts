import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { VolumeError } from '../errors.ts';
import type { Volume } from '../../objects/pod.ts';
import { writeAtomically } from './atomic-writer.ts';
import type { Payload, PayloadSources } from './payload.ts';
import { volumePayload } from './payload.ts';

const sources: PayloadSources = {
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: { containers: [{ name: 'a', resources: { limits: { memory: '1Mi' } } }] },
  },
  podIps: ['10.0.0.1'],
  hostIps: [],
  allocatable: {},
  configMap: (name) => (name === 'map' ? { one: Buffer.from('1'), two: Buffer.from('2') } : undefined),
  secret: () => undefined,
  token: ({ audience = 'api' }) => `token for ${audience}`,
};
const read = (volume: Omit<Volume, 'name'>): Record<string, string> =>
  Object.fromEntries(
    [...volumePayload({ name: 'v', ...volume }, sources)].map(([path, { content, mode }]) => [
      path,
      `${content.toString()} ${mode.toString(8)}`,
    ]),
  );

describe('files of a volume', () => {
  it('are all keys, or those that are asked for', () => {
    expect(read({ configMap: { name: 'map' } })).to.deep.equal({ one: '1 644', two: '2 644' });
    const items = [{ key: 'two', path: 'a/b', mode: 0o600 }];
    expect(read({ configMap: { name: 'map', items, defaultMode: 0o400 } })).to.deep.equal({ 'a/b': '2 600' });
  });

  it('are of several sources in a projected one', () => {
    const limit = { resourceFieldRef: { containerName: 'a', resource: 'limits.memory', divisor: '1Ki' } };
    const projected = {
      sources: [
        { serviceAccountToken: { path: 'token', audience: 'ca' } },
        { downwardAPI: { items: [{ path: 'limit', ...limit }] } },
        { secret: { name: 'none', optional: true } },
      ],
    };
    expect(read({ projected })).to.deep.equal({ token: 'token for ca 644', limit: '1024 644' });
  });

  it('that are missing are named', () => {
    expect(() => read({ configMap: { name: 'x' } })).to.throw(VolumeError, 'configmap "x" not found');
    expect(() => read({ secret: { secretName: 's' } })).to.throw(VolumeError, 'secret "s" not found');
    const items = [{ key: 'three', path: 'x' }];
    expect(() => read({ configMap: { name: 'map', items } })).to.throw(VolumeError, 'no key "three"');
  });

  it('never lead out of the volume', () => {
    for (const path of ['../x', 'a/../../x', '/etc/passwd', '', 'a\0b'])
      expect(() => read({ configMap: { name: 'map', items: [{ key: 'one', path }] } }), path).to.throw(
        VolumeError,
        'leads out',
      );
  });
});

describe('directory of a volume', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'volume-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const payload = (files: Record<string, string>): Payload =>
    new Map(Object.entries(files).map(([path, text]) => [path, { content: Buffer.from(text), mode: 0o640 }]));

  it('changes all at once, by one link, and keeps nothing that is old', () => {
    expect(writeAtomically(directory, payload({ a: '1', 'deep/b': '2', gone: '3' }))).to.equal(true);
    const before = readlinkSync(join(directory, '..data'));
    expect(readlinkSync(join(directory, 'a'))).to.equal('..data/a');
    expect(statSync(join(directory, 'deep/b')).mode & 0o777).to.equal(0o640);
    expect(writeAtomically(directory, payload({ a: '1', 'deep/b': '2', gone: '3' }))).to.equal(false);
    expect(writeAtomically(directory, payload({ a: 'new', 'deep/b': '2' }))).to.equal(true);
    expect(readFileSync(join(directory, 'a'), 'utf8')).to.equal('new');
    const version = readlinkSync(join(directory, '..data'));
    expect(version).not.to.equal(before);
    expect(readdirSync(directory).sort()).to.deep.equal(['..data', version, 'a', 'deep'].sort());
  });

  it('may be empty', () => {
    writeAtomically(directory, new Map());
    expect(readdirSync(join(directory, '..data'))).to.deep.equal([]);
  });
});
