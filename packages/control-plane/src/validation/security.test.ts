import { testCases } from './validation-cases.test-data.ts';

const rule = (fields: object) => ({ rules: [fields] });
const source = (fields: object) => rule({ from: [{ source: fields }] });
const operation = (fields: object) => rule({ to: [{ operation: fields }] });
const when = (key: string, ...values: string[]) => rule({ when: [{ key, values }] });
const S = 'spec.rules[0].from[0].source';
const O = 'spec.rules[0].to[0].operation';

describe('AuthorizationPolicy', () => {
  testCases('security.istio.io/AuthorizationPolicy', [
    { name: 'takes an empty policy', spec: {} },
    {
      name: 'takes every source',
      spec: source({
        principals: ['*'],
        namespaces: ['a*'],
        requestPrincipals: ['i/s'],
        ipBlocks: ['10.0.0.0/8', '::1'],
        notRemoteIpBlocks: ['1.2.3.4'],
        trustDomains: ['td'],
      }),
    },
    {
      name: 'takes every operation',
      spec: operation({ hosts: ['*.x'], notPorts: ['80'], methods: ['GET'], paths: ['/a*', '/{*}/b/{**}'] }),
    },
    {
      name: 'takes headers and claims',
      spec: rule({
        when: [
          { key: 'request.headers[x-a]', values: ['b'] },
          { key: 'request.auth.claims[a][b]', notValues: ['c'] },
        ],
      }),
    },
    {
      name: 'selector and targetRefs exclude each other',
      spec: { selector: { matchLabels: { a: 'b' } }, targetRefs: [{ kind: 'Service', name: 's' }] },
      errors: ['spec'],
    },
    {
      name: 'a selector has no wildcards',
      spec: { selector: { matchLabels: { a: '*' } } },
      errors: ['spec.selector.matchLabels["a"]'],
    },
    {
      name: 'a label of a selector is a string',
      spec: { selector: { matchLabels: { a: 1, b: null } } },
      errors: ['spec.selector.matchLabels["a"]', 'spec.selector.matchLabels["b"]'],
    },
    { name: 'an empty selector is told', spec: { selector: {} }, warnings: ['spec.selector'] },
    {
      name: 'a target is of a kind that waypoints have',
      spec: { targetRefs: [{ kind: 'Pod', name: 'p' }] },
      errors: ['spec.targetRefs[0]'],
    },
    {
      name: 'a target has the group of its kind',
      spec: { targetRefs: [{ kind: 'Gateway', name: 'p' }] },
      errors: ['spec.targetRefs[0]'],
    },
    {
      name: 'a target has a name, and no namespace',
      spec: { targetRefs: [{ kind: 'Service', group: '', namespace: 'b' }] },
      errors: ['spec.targetRefs[0].name', 'spec.targetRefs[0].namespace'],
    },
    {
      name: 'at most 16 targets',
      spec: { targetRefs: Array.from({ length: 17 }, (_, i) => ({ kind: 'Service', name: `s${i}` })) },
      errors: ['spec.targetRefs'],
    },
    { name: 'an action of the API', spec: { action: 'BLOCK' }, errors: ['spec.action'] },
    { name: 'DENY needs rules', spec: { action: 'DENY' }, errors: ['spec.rules'] },
    {
      name: 'CUSTOM needs rules and a provider',
      spec: { action: 'CUSTOM' },
      errors: ['spec.provider.name', 'spec.rules'],
    },
    {
      name: 'CUSTOM knows no identities',
      spec: {
        action: 'CUSTOM',
        provider: { name: 'x' },
        rules: [
          { from: [{ source: { principals: ['*'] } }], when: [{ key: 'source.namespace', values: ['a'] }] },
        ],
      },
      errors: [`${S}.principals`, 'spec.rules[0].when[0].key'],
    },
    { name: 'a provider is for CUSTOM', spec: { provider: { name: 'x' } }, errors: ['spec.provider'] },
    { name: 'a rule is an object', spec: { rules: [null, 'x'] }, errors: ['spec.rules[0]', 'spec.rules[1]'] },
    { name: 'rules are a list', spec: { rules: {} }, errors: ['spec.rules'] },
    {
      name: 'lists of a rule have an entry',
      spec: rule({ from: [], to: [] }),
      errors: ['spec.rules[0].from', 'spec.rules[0].to'],
    },
    { name: 'a source says something', spec: source({}), errors: [S] },
    { name: 'a source is there', spec: rule({ from: [{}] }), errors: [S] },
    {
      name: 'a misspelt field is told',
      spec: source({ principal: ['a'], namespaces: ['a'] }),
      errors: [`${S}.principal`],
    },
    {
      name: 'serviceAccounts stand alone',
      spec: source({ serviceAccounts: ['a'], namespaces: ['b'] }),
      errors: [S],
    },
    {
      name: 'a service account is a name',
      spec: source({ serviceAccounts: ['a/b/c', '*', 'a/b'] }),
      errors: [`${S}.serviceAccounts[0]`, `${S}.serviceAccounts[1]`],
    },
    {
      name: 'no empty values',
      spec: source({ principals: [''], notNamespaces: [''] }),
      errors: [`${S}.principals[0]`, `${S}.notNamespaces[0]`],
    },
    {
      name: 'IP blocks are IP blocks',
      spec: source({ ipBlocks: ['10.0.0.0/33', '::/129', '1.2.3', '10.0.0.0/08'] }),
      errors: [0, 1, 2, 3].map((i) => `${S}.ipBlocks[${i}]`),
    },
    {
      name: 'a principal with a scheme is told',
      spec: source({ principals: ['spiffe://td/ns/a/sa/b'] }),
      warnings: [`${S}.principals[0]`],
    },
    {
      name: 'a star inside is told',
      spec: source({ namespaces: ['a*b'] }),
      warnings: [`${S}.namespaces[0]`],
    },
    {
      name: 'ports are numbers',
      spec: operation({ ports: ['http', '65536', '-1', '80'] }),
      errors: [0, 1, 2].map((i) => `${O}.ports[${i}]`),
    },
    {
      name: 'path templates',
      spec: operation({ paths: ['/{a}', '/{**}/{*}', '/{*}/*', '/{**}/{**}'] }),
      errors: [0, 1, 2, 3].map((i) => `${O}.paths[${i}]`),
    },
    {
      name: 'a condition has a key',
      spec: rule({ when: [{ values: ['a'] }] }),
      errors: ['spec.rules[0].when[0].key'],
    },
    { name: 'a condition of the API', spec: when('source.name', 'a'), errors: ['spec.rules[0].when[0].key'] },
    { name: 'a condition has values', spec: when('source.ip'), errors: ['spec.rules[0].when[0]'] },
    {
      name: 'values of a condition have its form',
      spec: when('destination.port', '80', 'x'),
      errors: ['spec.rules[0].when[0].values[1]'],
    },
    {
      name: 'a dry run is true or false',
      spec: {},
      metadata: { annotations: { 'istio.io/dry-run': 'yes' } },
      errors: ['metadata.annotations["istio.io/dry-run"]'],
    },
    {
      name: 'a dry run is for ALLOW and DENY',
      spec: { action: 'AUDIT', rules: [{}] },
      metadata: { annotations: { 'istio.io/dry-run': 'true' } },
      errors: ['metadata.annotations["istio.io/dry-run"]'],
    },
  ]);
});

describe('PeerAuthentication', () => {
  const selector = { matchLabels: { app: 'web' } };
  testCases('security.istio.io/PeerAuthentication', [
    {
      name: 'takes modes and ports',
      spec: { selector, mtls: { mode: 'STRICT' }, portLevelMtls: { 80: { mode: 'DISABLE' } } },
    },
    { name: 'a mode of the API', spec: { mtls: { mode: 'strict' } }, errors: ['spec.mtls.mode'] },
    {
      name: 'ports need a selector',
      spec: { portLevelMtls: { 80: { mode: 'STRICT' } } },
      errors: ['spec.portLevelMtls'],
    },
    { name: 'ports name one', spec: { selector, portLevelMtls: {} }, errors: ['spec.portLevelMtls'] },
    {
      name: 'a port is a number',
      spec: { selector, portLevelMtls: { http: {}, 0: {}, 65536: {} } },
      errors: ['0', '65536', 'http'].map((port) => `spec.portLevelMtls["${port}"]`),
    },
    {
      name: 'a mode of a port',
      spec: { selector, portLevelMtls: { 80: { mode: 'NO' } } },
      errors: ['spec.portLevelMtls["80"].mode'],
    },
  ]);
});

describe('RequestAuthentication', () => {
  const jwt = (fields: object) => ({ jwtRules: [{ issuer: 'i', ...fields }] });
  const J = 'spec.jwtRules[0]';
  testCases('security.istio.io/RequestAuthentication', [
    {
      name: 'takes a rule',
      spec: jwt({
        jwksUri: 'https://x/keys',
        audiences: ['a'],
        fromHeaders: [{ name: 'x-t', prefix: 'B ' }],
        timeout: '5s',
      }),
    },
    { name: 'takes keys', spec: jwt({ jwks: '{"keys":[{"kty":"RSA"}]}' }) },
    { name: 'issuer or jwksUri', spec: { jwtRules: [{}] }, errors: [J] },
    { name: 'jwksUri is a URL', spec: jwt({ jwksUri: 'file:///x' }), errors: [`${J}.jwksUri`] },
    { name: 'keys are JSON', spec: jwt({ jwks: 'x' }), errors: [`${J}.jwks`] },
    { name: 'keys are a key set', spec: jwt({ jwks: '{"keys":[{}]}' }), errors: [`${J}.jwks`] },
    { name: 'one place of keys', spec: jwt({ jwks: '{"keys":[]}', jwksUri: 'https://x/' }), errors: [J] },
    {
      name: 'names of headers',
      spec: jwt({ fromHeaders: [{ name: 'a b' }, {}], outputPayloadToHeader: 'ü' }),
      errors: [`${J}.fromHeaders[0].name`, `${J}.fromHeaders[1].name`, `${J}.outputPayloadToHeader`],
    },
    {
      name: 'empty places',
      spec: jwt({ fromParams: [''], fromCookies: [''], audiences: [''] }),
      errors: [`${J}.audiences[0]`, `${J}.fromParams[0]`, `${J}.fromCookies[0]`],
    },
    {
      name: 'claims to headers',
      spec: jwt({ outputClaimToHeaders: [{ header: 'x' }] }),
      errors: [`${J}.outputClaimToHeaders[0].claim`],
    },
    { name: 'a timeout is a duration', spec: jwt({ timeout: '5' }), errors: [`${J}.timeout`] },
    {
      name: 'a selector is for sidecars',
      spec: { selector: { matchLabels: { a: 'b' } } },
      warnings: ['spec.selector'],
    },
  ]);
});
