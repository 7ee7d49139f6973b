import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { atMostOne, boolean, duration, list, map, object, oneWord, string, strings } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { attachment, chartLabels, istioStatus, oneAttachment, selector } from './common.ts';

const security = { group: 'security.istio.io', stored: 'v1', labels: { ...chartLabels, istio: 'security' } };
const categories = ['istio-io', 'security-istio-io'];
const served = ['v1', 'v1beta1'];

const source = object(
  'A client; all that is named must hold.',
  {
    principals: strings('Identities: trust-domain/ns/NAMESPACE/sa/ACCOUNT.'),
    notPrincipals: strings('Identities that do not match.'),
    requestPrincipals: strings('Identities of the token: issuer/subject.'),
    notRequestPrincipals: strings('Identities of the token that do not match.'),
    namespaces: strings('Namespaces.'),
    notNamespaces: strings('Namespaces that do not match.'),
    serviceAccounts: list(
      'Service accounts: ACCOUNT, or NAMESPACE/ACCOUNT.',
      { type: 'string', maxLength: 320 },
      { maxItems: 16 },
    ),
    notServiceAccounts: list(
      'Service accounts that do not match.',
      { type: 'string', maxLength: 320 },
      { maxItems: 16 },
    ),
    trustDomains: strings('Trust domains.'),
    notTrustDomains: strings('Trust domains that do not match.'),
    ipBlocks: strings('Addresses or CIDR ranges of the connection.'),
    notIpBlocks: strings('Addresses that do not match.'),
    remoteIpBlocks: strings('Addresses of the client, as proxies before have told them.'),
    notRemoteIpBlocks: strings('Client addresses that do not match.'),
  },
  {
    rules: [
      {
        rule: '!(has(self.serviceAccounts) || has(self.notServiceAccounts)) || !(has(self.principals) || has(self.notPrincipals) || has(self.namespaces) || has(self.notNamespaces))',
        message: 'serviceAccounts cannot be set along with principals or namespaces',
      },
    ],
  },
);

const operation = object('A request; all that is named must hold.', {
  hosts: strings('Hosts of the request.'),
  notHosts: strings('Hosts that do not match.'),
  ports: strings('Ports, as strings.'),
  notPorts: strings('Ports that do not match.'),
  methods: strings('Methods of the request.'),
  notMethods: strings('Methods that do not match.'),
  paths: strings('Paths of the request.'),
  notPaths: strings('Paths that do not match.'),
});

const rule = object('One rule; from, to and when must all hold.', {
  from: list('Clients; one is enough.', object('One client.', { source }), { maxItems: 512 }),
  to: list('Requests; one is enough.', object('One request.', { operation })),
  when: list(
    'Conditions, all of them.',
    object(
      'One condition.',
      {
        key: string('Attribute of the request, such as source.ip.'),
        values: strings('Values that match.'),
        notValues: strings('Values that do not match.'),
      },
      { required: ['key'] },
    ),
  ),
});

export const authorizationPolicy: Kind = {
  ...security,
  kind: 'AuthorizationPolicy',
  plural: 'authorizationpolicies',
  shortNames: ['ap'],
  categories,
  optionalSpec: true,
  description: 'Who may do what to the workloads.',
  columns: [
    { name: 'Action', path: '.spec.action', description: 'What happens to requests that match.' },
    { ...age },
  ],
  versions: versions(served, {
    spec: object(
      'The policy. Without rules it matches nothing, so that ALLOW denies all.',
      {
        ...attachment,
        rules: list('Rules; one is enough.', rule, { maxItems: 512 }),
        action: oneWord('What happens to requests that match; ALLOW if left out.', [
          'ALLOW',
          'DENY',
          'AUDIT',
          'CUSTOM',
        ]),
        provider: object('Who decides, for CUSTOM.', {
          name: string('Name of an extension provider of the mesh.'),
        }),
      },
      { rules: [oneAttachment] },
    ),
    status: istioStatus(),
  }),
};

const mtlsMode = oneWord('Whether mutual TLS is demanded.', ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT']);

const peerAuthenticationSpec = object(
  'The policy.',
  {
    selector,
    mtls: object('For all ports.', { mode: mtlsMode }),
    portLevelMtls: map('For single ports, by number.', object('For one port.', { mode: mtlsMode }), {
      rules: [
        {
          rule: "self.all(key, key.matches('^[1-9][0-9]{0,4}$') && int(key) <= 65535)",
          message: 'port must be between 1-65535',
        },
      ],
    }),
  },
  {
    rules: [
      {
        rule: '!has(self.portLevelMtls) || (has(self.selector) && has(self.selector.matchLabels) && size(self.selector.matchLabels) > 0)',
        message: 'portLevelMtls requires selector',
      },
    ],
  },
);

export const peerAuthentication: Kind = {
  ...security,
  kind: 'PeerAuthentication',
  plural: 'peerauthentications',
  shortNames: ['pa'],
  categories,
  optionalSpec: true,
  description: 'Whether workloads demand mutual TLS.',
  columns: [
    { name: 'Mode', path: '.spec.mtls.mode', description: 'Whether mutual TLS is demanded.' },
    { ...age },
  ],
  versions: versions(served, { spec: peerAuthenticationSpec, status: istioStatus() }),
};

const claimHeader = object(
  'One header.',
  {
    header: string('Name of the header.', { minLength: 1, pattern: '^[-_A-Za-z0-9]+$' }),
    claim: string('Name of the claim.', { minLength: 1 }),
  },
  { required: ['header', 'claim'] },
);

const jwtRule: Schema = object(
  'Tokens of one issuer.',
  {
    issuer: string('Issuer (iss) of the tokens.', { minLength: 1 }),
    audiences: list('Audiences (aud), of which a token must have one.', { type: 'string', minLength: 1 }),
    jwksUri: string('Where the public keys are.', {
      minLength: 1,
      maxLength: 2048,
      pattern: '^[hH][tT][tT][pP][sS]?://.+$',
    }),
    jwks: string('The public keys themselves.'),
    jwks_uri: string('Old spelling of jwksUri.', { minLength: 1, maxLength: 2048 }),
    fromHeaders: list(
      'Headers in which a token may be.',
      object(
        'One header.',
        {
          name: string('Name of the header.', { minLength: 1 }),
          prefix: string('What stands before the token.'),
        },
        { required: ['name'] },
      ),
    ),
    fromParams: list('Query parameters in which a token may be.', { type: 'string', minLength: 1 }),
    fromCookies: list('Cookies in which a token may be.', { type: 'string', minLength: 1 }),
    outputPayloadToHeader: string('Header that gets the payload, in base64.'),
    forwardOriginalToken: boolean('Leave the token in the request.'),
    outputClaimToHeaders: list('Headers that get a claim.', claimHeader),
    timeout: duration('Time to fetch the keys.'),
    spaceDelimitedClaims: list('Claims whose value is a list separated by spaces.', {
      type: 'string',
      minLength: 1,
    }),
    presence: string('Whether a token is asked for.', { enum: ['UNSPECIFIED', 'OPTIONAL', 'REQUIRED'] }),
  },
  { required: ['issuer'], oneOf: atMostOne('jwksUri', 'jwks_uri', 'jwks') },
);

export const requestAuthentication: Kind = {
  ...security,
  kind: 'RequestAuthentication',
  plural: 'requestauthentications',
  shortNames: ['ra'],
  categories,
  optionalSpec: true,
  description: 'Which tokens of end users are valid.',
  columns: [{ ...age }],
  versions: versions(served, {
    spec: object(
      'The policy.',
      { ...attachment, jwtRules: list('Issuers that are known.', jwtRule, { maxItems: 4096 }) },
      { rules: [oneAttachment] },
    ),
    status: istioStatus(),
  }),
};
