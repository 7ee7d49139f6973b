// The lab's API against a real one, request by request: the same status codes, reasons and objects. It runs where KUBECONFIG
// names a real API server (npm run test:cluster), and needs one whose controllers do not interfere.
import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { ApiDialogue, differences } from './harness/api-dialogue.ts';
import type { Answer } from './harness/api-dialogue.ts';
import { dialogueRequests } from './harness/dialogue-requests.ts';
import { TestApi } from './harness/test-api.ts';

const namespace = `differential-${process.pid}`;

/** Where the lab differs on purpose, by method and path below the namespace. */
const onPurpose: Readonly<Record<string, string>> = {};

if ((process.env['KUBECONFIG'] ?? '') !== '')
  describe('the lab answers as a real API server', function () {
    this.timeout(120_000);
    let real: TestApi;
    let lab: TestApi;
    let both: [ApiDialogue, ApiDialogue];

    before(async () => {
      real = await TestApi.start();
      lab = await TestApi.start({ lab: true });
      for (const api of [real, lab]) {
        await api.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
        await api.ensure({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'default', namespace },
        });
      }
      both = await Promise.all([
        ApiDialogue.open(readFileSync(real.kubeconfig, 'utf8')),
        ApiDialogue.open(readFileSync(lab.kubeconfig, 'utf8')),
      ]);
    });

    after(async () => {
      await real.deleteNamespace(namespace);
      await real[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    });

    for (const [index, ask] of dialogueRequests(namespace).entries()) {
      const path = ask.path.replaceAll(namespace, 'NS');
      const body = typeof ask.body === 'string' ? ask.body : (JSON.stringify(ask.body) ?? '');
      const why = onPurpose[`${ask.method} ${path}`];
      it(`${index} ${ask.method} ${path} ${body.replaceAll(namespace, 'NS').slice(0, 160)}`, async () => {
        const [ofReal, ofLab] = (await Promise.all(both.map((dialogue) => dialogue.ask(ask)))) as [
          Answer,
          Answer,
        ];
        const found = differences(ofReal, ofLab);
        if (why === undefined) expect(found).to.deep.equal([]);
        else expect(found, `no longer differs: ${why}`).to.not.deep.equal([]);
      });
    }
  });
