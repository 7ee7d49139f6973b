import { bool, defineSettings, derived, optional, text } from '@ambient/runtime';
import { defaultRootFile, istiodAddress, rootDoc } from './istiod-defaults.ts';
import { minute } from './units.ts';
import { ztunnelDuration } from './ztunnel-duration.ts';

export const controlPlaneSettings = defineSettings('Control plane', {
  xdsAddress: {
    env: 'XDS_ADDRESS',
    type: optional(text),
    default: derived(`\`discoveryAddress\` of the proxy config, else ${istiodAddress.rule}`, () => undefined),
    doc: 'Control plane; `https://` is added to an address without a scheme. Empty: none.',
  },
  xdsRootCa: { env: 'XDS_ROOT_CA', type: text, default: defaultRootFile, doc: rootDoc },
  altXdsHostname: {
    env: 'ALT_XDS_HOSTNAME',
    type: optional(text),
    default: undefined,
    doc: 'A second name that the certificate of the control plane may carry.',
  },
  xdsOnDemand: {
    env: 'XDS_ON_DEMAND',
    type: bool,
    default: false,
    doc: 'Ask for workloads and services when they are first called, instead of subscribing to all. Not with DNS.',
  },
  localXdsPath: {
    env: 'LOCAL_XDS_PATH',
    type: optional(text),
    default: undefined,
    doc: 'A YAML file of workloads, services and policies, reread when it changes.',
  },
  localXds: {
    env: 'LOCAL_XDS',
    type: optional(text),
    default: undefined,
    doc: 'The same as text. Only one of the two may be set.',
  },
  authToken: {
    env: 'AUTH_TOKEN',
    type: optional(text),
    default: derived(
      '`./var/run/secrets/tokens/istio-token` if it exists at start, else none',
      () => undefined,
    ),
    doc: 'Bearer token for the control plane and the CA: a file (reread for each call) or the token itself.',
    secret: true,
  },
});

export const snapshotSettings = defineSettings('Cold start', {
  snapshotPath: {
    env: 'AMBIENT_SNAPSHOT_PATH',
    type: optional(text),
    default: undefined,
    doc: 'Our own: a file on this node in which the last mesh and the certificates in use are kept, encrypted, for a start at which the control plane does not answer. Unset: none is kept.',
  },
  snapshotKeyPath: {
    env: 'AMBIENT_SNAPSHOT_KEY_PATH',
    type: optional(text),
    default: derived('`AMBIENT_SNAPSHOT_PATH` with `.key`', () => undefined),
    doc: 'Our own: the key of that file, made on first use, readable by its owner only.',
  },
  snapshotMaxAgeMs: {
    env: 'AMBIENT_SNAPSHOT_MAX_AGE',
    type: ztunnelDuration({ minMs: minute }),
    default: 24 * 60 * minute,
    doc: 'Our own: an older snapshot is not used. Policies that were changed since it was written do not hold until the control plane answers.',
  },
});
