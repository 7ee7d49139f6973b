import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { tokenHeaders } from './token.ts';

describe('tokenHeaders', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'token-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads the file for every call and drops its trailing newline', () => {
    const token = path.join(folder, 'istio-token');
    writeFileSync(token, 'one\n');
    const headers = tokenHeaders({ token, clusterId: 'east' });
    expect(headers()).to.deep.equal({ authorization: 'Bearer one', clusterid: 'east' });
    writeFileSync(token, 'two');
    expect(headers()['authorization']).to.equal('Bearer two');
  });

  it('sends nothing for ever if the file was absent at the start', () => {
    const token = path.join(folder, 'istio-token');
    const headers = tokenHeaders({ token, clusterId: 'east' });
    writeFileSync(token, 'late');
    expect(headers()).to.deep.equal({});
  });

  it('fails a call whose file has gone, so that it is retried', () => {
    const token = path.join(folder, 'istio-token');
    writeFileSync(token, 'one');
    const headers = tokenHeaders({ token, clusterId: 'east' });
    rmSync(token);
    expect(headers).to.throw('ENOENT');
  });

  it('takes a token as it stands', () => {
    expect(tokenHeaders({ token: 'eyJ.a.b', clusterId: 'c' })()['authorization']).to.equal('Bearer eyJ.a.b');
  });
});
