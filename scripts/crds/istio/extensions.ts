import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { anyObject, exactlyOne, int32, list, object, oneWord, port, string } from '../schema.ts';
import type { Fields, Schema } from '../schema.ts';
import { attachment, chartLabels, istioStatus, oneAttachment } from './common.ts';

const categories = ['istio-io', 'extensions-istio-io'];

const environment = object(
  'One variable.',
  {
    name: string('Name of the variable.', { minLength: 1, maxLength: 256 }),
    valueFrom: oneWord('Where its value comes from.', ['INLINE', 'HOST']),
    value: string('The value.', { maxLength: 2048 }),
  },
  {
    required: ['name'],
    rules: [
      {
        rule: "!(has(self.valueFrom) && self.valueFrom == 'HOST' && has(self.value))",
        message: 'value may only be set when valueFrom is INLINE',
      },
    ],
  },
);

/** A WebAssembly module, as both kinds describe it. */
const module: Fields = {
  url: string('Where the module is: oci://, https://, http:// or file://.', {
    minLength: 1,
    maxLength: 4096,
    pattern: '^((oci|https?|file)://.+|[^:]*(:[^/].*)?)$',
  }),
  sha256: string('Checksum of the module or image.', { pattern: '(^$|^[a-f0-9]{64}$)' }),
  imagePullPolicy: oneWord('When to fetch it again.', ['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always']),
  imagePullSecret: string('Secret for the registry.', { minLength: 1, maxLength: 253 }),
  verificationKey: string('Not used.'),
  pluginConfig: anyObject('Configuration of the module.'),
  pluginName: string('Name of the plugin in the module.', { minLength: 1, maxLength: 256 }),
  failStrategy: oneWord('What happens when it fails.', ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD']),
  vmConfig: object('Settings of its virtual machine.', {
    env: list('Environment.', environment, { keys: ['name'], maxItems: 256 }),
  }),
  type: oneWord('Level at which it works.', ['UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK']),
};

const match: Schema = list(
  'Traffic that it is for; one match is enough.',
  object('One match.', {
    mode: oneWord('Side of the connection.', ['UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER']),
    ports: list('Ports.', object('One port.', { number: port('Port number.') }, { required: ['number'] }), {
      keys: ['number'],
    }),
  }),
);

const phases = ['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS'];
const priority = int32('Order within the phase; higher comes first.', { nullable: true });

export const wasmPlugin: Kind = {
  group: 'extensions.istio.io',
  kind: 'WasmPlugin',
  plural: 'wasmplugins',
  categories,
  description: 'A WebAssembly module in proxies. TrafficExtension replaces it.',
  columns: [{ ...age }],
  versions: versions(['v1alpha1'], {
    spec: object(
      'The module.',
      {
        ...attachment,
        ...module,
        phase: oneWord('Place among the filters.', ['UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS']),
        priority,
        match,
      },
      { required: ['url'], rules: [oneAttachment] },
    ),
    status: istioStatus(),
  }),
  stored: 'v1alpha1',
  labels: chartLabels,
};

export const trafficExtension: Kind = {
  group: 'extensions.istio.io',
  kind: 'TrafficExtension',
  plural: 'trafficextensions',
  categories,
  description: 'A WebAssembly module or Lua code in proxies.',
  columns: [{ ...age }],
  versions: versions(['v1alpha1'], {
    spec: object(
      'The extension.',
      {
        selector: attachment['selector']!,
        targetRefs: attachment['targetRefs']!,
        // Releases differ in whether the words carry the prefix.
        phase: oneWord('Place among the filters.', [
          ...phases,
          ...phases.map((phase) => `EXECUTION_PHASE_${phase}`),
        ]),
        priority,
        match,
        wasm: object('A WebAssembly module.', module, { required: ['url'] }),
        lua: object(
          'Lua code.',
          { inlineCode: string('The code.', { minLength: 1, maxLength: 65_536 }) },
          { required: ['inlineCode'] },
        ),
      },
      {
        oneOf: exactlyOne('wasm', 'lua'),
        rules: [
          {
            rule: '!(has(self.selector) && has(self.targetRefs))',
            message: 'only one of targetRefs or selector can be set',
          },
        ],
      },
    ),
    status: istioStatus(),
  }),
  stored: 'v1alpha1',
  labels: chartLabels,
};
