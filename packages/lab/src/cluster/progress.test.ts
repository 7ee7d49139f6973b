import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';

import { expect } from 'chai';

import { showProgress } from './progress.ts';

describe('the progress of a lab', () => {
  it('is a line a step for people, and how to go on at the end', async () => {
    const [told, shown] = [new PassThrough(), new PassThrough()];
    showProgress(told, shown);
    told.write('{"phase":"nodes","text":"starting node-1"}\n{"failed":"told by its log"}\n');
    told.end('{"ready":true,"kubeconfig":"/run/lab/kubeconfig"}\n');
    told.on('close', () => setImmediate(() => shown.end()));
    expect(await text(shown)).to.equal('starting node-1 ...\nready; export KUBECONFIG=/run/lab/kubeconfig\n');
  });
});
