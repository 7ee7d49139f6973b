// The lab's API against a real one, request by request: the same status codes, reasons and objects. It runs where KUBECONFIG
// names a real API server (npm run test:cluster), and needs one whose controllers do not interfere.
import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { ApiDialogue, differences } from './harness/api-dialogue.ts';
import type { Answer } from './harness/api-dialogue.ts';
import { dialogueRequests } from './harness/dialogue-requests.ts';
import { TestApi } from './harness/test-api.ts';

const namespace = `differential-${process.pid}`;

/** Where the lab differs and may: what is found, and why that is so. */
const known: readonly (readonly [RegExp, string])[] = [
  [
    /^\/(body\/)?(code|reason): real (500|nothing), lab (400|"BadRequest")$/,
    "what a client sent wrongly is its fault, not the server's",
  ],
  [/^\/body: real "404 page not found/, 'a path that does not exist is answered with a Status everywhere'],
  [/\/nodePort: /, 'the lab gives no node ports'],
  [/\/columnDefinitions\/\d+\/description: /, 'the descriptions are not ours'],
  [/^\/body\/metadata\/continue: real "\*", lab nothing/, 'the whole list fits'],
  [/^\/body\/status\/(error|user|authenticated): /, 'the lab says why a token is no good'],
  [
    /^\/body\/metadata(\/(managedFields|creationTimestamp|uid))?: real .*, lab (nothing|\{\})$/,
    'answers to questions are not stored, and belong to nobody',
  ],
  [
    /\/fields\/1: real "<nil> FieldValueInvalid"/,
    'the lab does not repeat that rules were not asked for an object of the wrong type',
  ],
  [/spec\.containers\[1\]/, 'names of items that stand twice are reported by the item'],
  [/\/generation: real \d, lab \d$/, 'the lab counts changes of the desired state, and of nothing else'],
  [
    /\/(f:)?deprecated\.daemonset\.template\.generation|^\/body\/metadata\/(annotations|managedFields\/\d\/fieldsV1\/f:metadata\/f:annotations): real .*deprecated\.daemonset/,
    'the lab has no deprecated annotation',
  ],
  [/^\/body\/status\/\w+: real (0|null), lab nothing$/, 'a status that nobody has written is empty'],
  [
    /^\/body\/metadata\/deletion(Timestamp|GracePeriodSeconds): real .*, lab nothing$/,
    'what is gone is answered as it was',
  ],
  [/^\/body\/spec\/jobTemplate\/.*metadata: real \{\}, lab nothing$/, 'the lab adds no empty members'],
  [
    /\/fieldsV1\/f:status\/f:conditions\/.*\/f:last(Probe|Transition)Time: real \{\}, lab nothing$/,
    'a null is no field',
  ],
  [/\/fieldsV1\/f:status\/f:podIPs: real .*, lab nothing$/, 'what the lab fills in belongs to nobody'],
  [
    /^\/body\/metadata\/(labels|managedFields\/1\/fieldsV1\/f:metadata): real .*from.*, lab nothing$/,
    'a write of the status changes the status alone',
  ],
  [
    /^\/body\/metadata\/managedFields\/\d(: real .*f:spec|\/(fieldsV1\/f:spec\/|operation|subresource|manager|time))/,
    'a scale belongs to whoever wrote it, and is not told apart; neither are fields of an older version',
  ],
  [/^\/body\/columnDefinitions\/1\/type: real "string", lab "integer"$/, 'counts are integers'],
];

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
      it(`${index} ${ask.method} ${path} ${body.replaceAll(namespace, 'NS').slice(0, 160)}`, async () => {
        const [ofReal, ofLab] = (await Promise.all(both.map((dialogue) => dialogue.ask(ask)))) as [
          Answer,
          Answer,
        ];
        const found = differences(ofReal, ofLab).filter((each) => !known.some(([what]) => what.test(each)));
        expect(found).to.deep.equal([]);
      });
    }
  });
