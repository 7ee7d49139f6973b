import { expect } from 'chai';

import { ApiError } from '../errors.ts';
import type { JsonObject } from '../object.ts';
import { runWebhooks } from './run-webhooks.ts';
import type { AdmissionPhase } from './run-webhooks.ts';
import { WebhookCallError } from './webhook-call.ts';
import type { WebhookEndpoint } from './webhook-call.ts';
import { webhookMatches } from './webhook-rules.ts';
import type { AdmissionRequest, Webhook } from './webhook.ts';

const request: AdmissionRequest = {
  operation: 'CREATE',
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  subresource: '',
  namespace: 'shop',
  name: 'web',
  object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', labels: { tier: 'front' } } },
  oldObject: undefined,
  user: { username: 'alice', groups: ['dev'] },
  dryRun: false,
};

const everything = {
  operations: ['*'],
  apiGroups: ['*'],
  apiVersions: ['*'],
  resources: ['*/*'],
  scope: '*',
};

function webhook(more: Partial<Webhook> = {}): Webhook {
  return {
    name: 'check.example.com',
    clientConfig: { url: 'https://127.0.0.1:9/check' },
    rules: [everything],
    failurePolicy: 'Fail',
    sideEffects: 'None',
    timeoutSeconds: 10,
    ...more,
  };
}

type Answer = JsonObject | ((review: JsonObject) => string);

function patch(operations: object[]): JsonObject {
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  };
}

/** Runs webhooks that answer what their names are mapped to. */
async function run(
  phase: AdmissionPhase,
  webhooks: readonly Webhook[],
  answers: Readonly<Record<string, Answer>>,
  asked: Partial<AdmissionRequest> = {},
) {
  const warnings: string[] = [];
  const calls: { endpoint: WebhookEndpoint; review: JsonObject; timeoutMs: number }[] = [];
  const byUrl = new Map(webhooks.map(({ name }) => [`https://127.0.0.1:9/${name}`, answers[name]]));
  const object = await runWebhooks(
    phase,
    { ...request, ...asked },
    [
      {
        metadata: { name: 'all' },
        webhooks: webhooks.map((each) => ({
          ...each,
          clientConfig: { url: `https://127.0.0.1:9/${each.name}` },
        })),
      },
    ],
    {
      namespaceLabels: (name) => (name === 'shop' ? { mesh: 'on' } : undefined),
      resolveService: () => undefined,
      warn: (warning) => warnings.push(warning),
      call: (endpoint, body, timeoutMs) => {
        const review = JSON.parse(body) as JsonObject;
        calls.push({ endpoint, review, timeoutMs });
        const answer = byUrl.get(endpoint.url);
        if (answer === undefined)
          return Promise.reject(new WebhookCallError('failed to call webhook: connection refused'));
        if (typeof answer === 'function') return Promise.resolve(answer(review));
        const { uid } = review['request'] as JsonObject;
        return Promise.resolve(
          JSON.stringify({
            apiVersion: 'admission.k8s.io/v1',
            kind: 'AdmissionReview',
            response: { uid, ...answer },
          }),
        );
      },
    },
  );
  return { object, warnings, calls };
}

async function refusal(of: Promise<unknown>): Promise<ApiError> {
  try {
    await of;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  return expect.fail('nothing was refused');
}

describe('admission webhooks', () => {
  it('are asked with a whole AdmissionReview', async () => {
    const { calls } = await run(
      'validating',
      [webhook()],
      { 'check.example.com': { allowed: true } },
      { dryRun: true },
    );
    const { uid: _, ...asked } = calls[0]!.review['request'] as JsonObject;
    expect(asked).to.deep.equal({
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      requestKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      requestResource: { group: 'apps', version: 'v1', resource: 'deployments' },
      name: 'web',
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'alice', groups: ['dev'] },
      object: request.object,
      oldObject: null,
      dryRun: true,
      options: null,
    });
    expect(calls[0]?.timeoutMs).to.equal(10_000);
  });

  it('deny in the words of an API server, with their own code and reason', async () => {
    const cases: [JsonObject, number, string][] = [
      [{}, 400, 'admission webhook "check.example.com" denied the request without explanation'],
      [
        { status: { message: 'spec.rules[0]: no' } },
        400,
        'admission webhook "check.example.com" denied the request: spec.rules[0]: no',
      ],
      [
        { status: { code: 422, reason: 'Invalid' } },
        422,
        'admission webhook "check.example.com" denied the request: Invalid',
      ],
      [
        { status: { code: 200, message: 'odd' } },
        400,
        'admission webhook "check.example.com" denied the request: odd',
      ],
    ];
    for (const [answer, code, message] of cases) {
      const error = await refusal(
        run('validating', [webhook()], { 'check.example.com': { allowed: false, ...answer } }),
      );
      expect([error.code, error.message]).to.deep.equal([code, message]);
    }
  });

  it('change the object one after another, and are asked again if they wish', async () => {
    const { object, calls } = await run(
      'mutating',
      [webhook({ name: 'a', reinvocationPolicy: 'IfNeeded' }), webhook({ name: 'b' })],
      {
        a: patch([{ op: 'add', path: '/spec', value: { a: 1 } }]),
        b: patch([{ op: 'add', path: '/spec/b', value: 2 }]),
      },
    );
    expect(object?.['spec']).to.deep.equal({ a: 1 }); // the second call of a wrote spec anew
    expect(calls.map(({ endpoint }) => endpoint.url.slice(-1))).to.deep.equal(['a', 'b', 'a']);
    expect((calls[1]?.review['request'] as { object: JsonObject }).object['spec']).to.deep.equal({ a: 1 });
    expect(request.object).not.to.have.property('spec');
  });

  it('pass warnings on', async () => {
    const { warnings } = await run('validating', [webhook()], {
      'check.example.com': { allowed: true, warnings: ['old field', 7] },
    });
    expect(warnings).to.deep.equal(['old field']);
  });

  it('that cannot be reached stop the request, or not, as failurePolicy says', async () => {
    const error = await refusal(run('validating', [webhook()], {}));
    expect([error.code, error.message]).to.deep.equal([
      500,
      'Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: connection refused',
    ]);
    const { object, warnings } = await run('mutating', [webhook({ failurePolicy: 'Ignore' })], {});
    expect(object).to.equal(request.object);
    expect(warnings[0]).to.contain('failurePolicy is Ignore');
  });

  it('with side effects refuse a dry run', async () => {
    const error = await refusal(run('validating', [webhook({ sideEffects: 'Some' })], {}, { dryRun: true }));
    expect(error.message).to.equal('admission webhook "check.example.com" does not support dry run');
  });

  describe('are not believed', () => {
    const uidOf = (review: JsonObject): unknown => (review['request'] as JsonObject)['uid'];
    const answer = (response: JsonObject | null, apiVersion = 'admission.k8s.io/v1'): string =>
      JSON.stringify({ apiVersion, kind: 'AdmissionReview', response });
    const hostile: [string, AdmissionPhase, Answer, string][] = [
      ['without JSON', 'validating', () => '<html>', 'the answer is not JSON'],
      ['with a list', 'validating', () => '[]', 'the answer is not an object'],
      ['with another kind', 'validating', () => answer({}, 'v1'), 'got v1, Kind=AdmissionReview'],
      ['without a response', 'validating', () => answer(null), 'webhook response was absent'],
      [
        'to another question',
        'validating',
        () => answer({ uid: 'x', allowed: true }),
        'expected response.uid=',
      ],
      [
        'with a patch where none may be',
        'validating',
        patch([]),
        'validating webhook may not return response.patch',
      ],
      [
        'with a patch of no type',
        'mutating',
        (review) => answer({ uid: uidOf(review), allowed: true, patch: 'W10=' }),
        'not response.patchType',
      ],
      [
        'with a patch of another type',
        'mutating',
        (review) => answer({ uid: uidOf(review), allowed: true, patch: 'W10=', patchType: 'Merge' }),
        'invalid response.patchType of "Merge"',
      ],
      [
        'with a patch that does not fit',
        'mutating',
        patch([{ op: 'remove', path: '/spec/none' }]),
        'received undecodable patch',
      ],
      [
        'with a patch that is none',
        'mutating',
        { allowed: true, patchType: 'JSONPatch', patch: 'e30=' },
        'received undecodable patch',
      ],
      [
        'that leave no object',
        'mutating',
        patch([{ op: 'replace', path: '', value: 7 }]),
        'leaves no object',
      ],
      [
        'that say yes in other words',
        'validating',
        { allowed: 'true' },
        'denied the request without explanation',
      ],
    ];
    for (const [what, phase, given, message] of hostile)
      it(what, async () => {
        const error = await refusal(run(phase, [webhook()], { 'check.example.com': given }));
        expect(error.message).to.contain(message);
      });
  });
});

describe('rules of webhooks', () => {
  const namespaces = (name: string): Record<string, string> | undefined =>
    name === 'shop' ? { mesh: 'on' } : undefined;
  const rule = (more: object): Partial<Webhook> => ({ rules: [{ ...everything, ...more }] });
  const cases: [string, Partial<Webhook>, Partial<AdmissionRequest>, boolean][] = [
    ['everything', {}, {}, true],
    ['no rules', { rules: [] }, {}, false],
    ['another operation', rule({ operations: ['UPDATE', 'DELETE'] }), {}, false],
    ['another group', rule({ apiGroups: [''] }), {}, false],
    ['another version', rule({ apiVersions: ['v2'] }), {}, false],
    ['the resource', rule({ resources: ['deployments'] }), {}, true],
    ['the resource, not its parts', rule({ resources: ['deployments'] }), { subresource: 'status' }, false],
    ['a part', rule({ resources: ['deployments/status'] }), { subresource: 'status' }, true],
    ['any part', rule({ resources: ['deployments/*'] }), { subresource: 'scale' }, true],
    ['all resources without their parts', rule({ resources: ['*'] }), { subresource: 'scale' }, false],
    ['namespaced ones', rule({ scope: 'Namespaced' }), {}, true],
    ['cluster-wide ones', rule({ scope: 'Cluster' }), {}, false],
    [
      'a namespace is cluster-wide',
      rule({ scope: 'Cluster' }),
      { group: '', resource: 'namespaces', namespace: 'shop' },
      true,
    ],
    ['namespaces by label', { namespaceSelector: { matchLabels: { mesh: 'on' } } }, {}, true],
    ['other namespaces', { namespaceSelector: { matchLabels: { mesh: 'off' } } }, {}, false],
    [
      'namespaces without a label',
      { namespaceSelector: { matchExpressions: [{ key: 'skip', operator: 'DoesNotExist' }] } },
      {},
      true,
    ],
    [
      'cluster-wide objects, whatever the namespaces',
      { namespaceSelector: { matchLabels: { mesh: 'off' } } },
      { namespace: '' },
      true,
    ],
    [
      'objects by label',
      { objectSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['front'] }] } },
      {},
      true,
    ],
    ['other objects', { objectSelector: { matchLabels: { tier: 'back' } } }, {}, false],
    [
      'objects that had the label',
      { objectSelector: { matchLabels: { tier: 'back' } } },
      { oldObject: { metadata: { labels: { tier: 'back' } } } },
      true,
    ],
    [
      'its own configuration never',
      {},
      { group: 'admissionregistration.k8s.io', kind: 'ValidatingWebhookConfiguration' },
      false,
    ],
  ];
  for (const [what, hook, asked, matches] of cases)
    it(`${matches ? 'match' : 'do not match'}: ${what}`, () =>
      expect(webhookMatches(webhook(hook), { ...request, ...asked }, namespaces)).to.equal(matches));
});
