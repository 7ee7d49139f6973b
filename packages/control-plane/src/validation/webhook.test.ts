import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { withWebhookTrust } from './webhook-configuration.ts';
import { reviewAdmission } from './webhook.ts';

const policyKind = { group: 'security.istio.io', version: 'v1', kind: 'AuthorizationPolicy' };

function review(spec: unknown, request: Record<string, unknown> = {}): unknown {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      kind: policyKind,
      operation: 'CREATE',
      object: { metadata: { name: 'p', namespace: 'a' }, spec },
      ...request,
    },
  };
}

interface Response {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly warnings?: string[];
    readonly status?: { code: number; message: string; details: { causes: { field: string }[] } };
  };
}

function responseOf(request: unknown): Response['response'] {
  const { httpStatus, body } = reviewAdmission(request);
  expect(httpStatus).to.equal(200);
  expect(body).to.include({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
  return (body as Response).response;
}

describe('the admission webhook', () => {
  it('allows a policy that is in order', () => {
    expect(responseOf(review({ rules: [{}] }))).to.deep.equal({ uid: 'u-1', allowed: true });
  });

  it('refuses with 422 and the path of every field', () => {
    const spec = {
      rules: [{ to: [{ operation: { ports: ['http'] } }] }, { from: [{ source: { ipBlocks: ['x'] } }] }],
    };
    const { allowed, status } = responseOf(review(spec));
    expect(allowed).to.equal(false);
    expect(status?.code).to.equal(422);
    expect(status?.details.causes.map(({ field }) => field)).to.deep.equal([
      'spec.rules[0].to[0].operation.ports[0]',
      'spec.rules[1].from[0].source.ipBlocks[0]',
    ]);
    expect(status?.message).to.include('spec.rules[0].to[0].operation.ports[0]: "http" is no port');
  });

  it('passes warnings on, cut to what the API server takes', () => {
    const { allowed, warnings } = responseOf(
      review({
        rules: [{ from: [{ source: { principals: ['spiffe://x/ns/a/sa/b', `a*${'b'.repeat(900)}`] } }] }],
      }),
    );
    expect(allowed).to.equal(true);
    expect(warnings).to.have.length(2);
    expect(warnings?.[0]).to.include('without spiffe://');
    for (const warning of warnings ?? []) expect(warning.length).to.be.at.most(256);
  });

  it('lets deletions through, whatever the object was', () => {
    expect(responseOf(review(undefined, { operation: 'DELETE', object: null })).allowed).to.equal(true);
  });

  it('lets kinds through that it has no checks for', () => {
    const kind = { group: 'example.com', version: 'v1', kind: 'Other' };
    expect(responseOf(review({}, { kind })).allowed).to.equal(true);
  });

  const malformed: [string, unknown, string][] = [
    ['no JSON object', 'text', '(body)'],
    ['nothing at all', undefined, '(body)'],
    ['another version', { ...(review({}) as object), apiVersion: 'admission.k8s.io/v1beta1' }, 'apiVersion'],
    ['no version', { ...(review({}) as object), apiVersion: undefined }, 'apiVersion: must be set'],
    ['no request', { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }, 'request.uid'],
    ['no kind', review({}, { kind: {} }), 'request.kind.kind'],
    ['no object', review({}, { object: undefined }), 'request.object'],
    ['a uid that is no string', review({}, { uid: 7 }), 'request.uid'],
  ];
  for (const [name, request, text] of malformed)
    it(`answers 400 and names what is missing: ${name}`, () => {
      const { httpStatus, body } = reviewAdmission(request);
      expect(httpStatus).to.equal(400);
      expect(JSON.stringify(body)).to.include(text);
    });

  it('answers any JSON [fuzz]', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (body, object) => {
        expect(reviewAdmission(body).httpStatus).to.be.oneOf([200, 400]);
        expect(reviewAdmission(review(object)).httpStatus).to.equal(200);
      }),
      fuzzBudget(),
    );
  });
});

describe('trust of the webhook', () => {
  const configuration = {
    kind: 'ValidatingWebhookConfiguration',
    webhooks: [
      {
        name: 'a',
        clientConfig: { service: { name: 'istiod' } },
        failurePolicy: 'Ignore',
        timeoutSeconds: 3,
      },
    ],
  };
  const trust = { roots: 'PEM', failurePolicy: 'Fail' } as const;

  it('goes into every webhook, and leaves the rest as it is', () => {
    expect(withWebhookTrust(configuration, trust)).to.deep.equal({
      kind: 'ValidatingWebhookConfiguration',
      webhooks: [
        {
          name: 'a',
          clientConfig: { service: { name: 'istiod' }, caBundle: 'UEVN' },
          failurePolicy: 'Fail',
          timeoutSeconds: 3,
        },
      ],
    });
  });

  it('is not written again when it is there', () => {
    expect(withWebhookTrust(withWebhookTrust(configuration, trust)!, trust)).to.equal(undefined);
  });
});
