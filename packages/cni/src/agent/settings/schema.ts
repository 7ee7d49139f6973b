import {
  bool,
  custom,
  defineSettings,
  derived,
  duration,
  int,
  list,
  logSettings,
  optional,
  port,
  text,
  ValueError,
} from '@ambient/runtime';
import type { SettingsSource } from '@ambient/runtime';
import { parse, YAMLError } from 'yaml';
import { isIPv4, isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { EnablementSelector } from '../../eligibility.ts';
import { readSelectors, SelectorError } from '../../eligibility.ts';
import { standardProbeAddress } from '../../rules/pod-capture.ts';

// Names, defaults and meanings are those of Istio's node agent where it has them, so that its chart's values can be kept.

const second = 1000;
const goDuration = duration({ bareSeconds: true });

/** @throws ValueError naming the field */
function parseSelectors(raw: string): readonly EnablementSelector[] {
  try {
    return readSelectors(parse(raw, { logLevel: 'error' }), 'the list');
  } catch (error) {
    if (error instanceof SelectorError || error instanceof YAMLError)
      throw new ValueError(`a list of podSelector and namespaceSelector in YAML: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}

const selectors = custom('YAML', parseSelectors, (value) => JSON.stringify(value));

const address = (isOne: (text: string) => boolean, name: string) =>
  custom(
    name,
    (raw: string) => {
      if (!isOne(raw.trim())) throw new ValueError(`an ${name}`);
      return raw.trim();
    },
    (value) => value,
  );

const under = (variable: string, standard: string, path: string) =>
  derived(`\`${variable}\`${path}`, (source: SettingsSource) => join(source.get(variable) || standard, path));

const ROOT = '/host';
const RUN_DIRECTORY = '/var/run/istio-cni';

export const ambientSettings = defineSettings('Capture', {
  enabled: {
    env: 'AMBIENT_ENABLED',
    type: bool,
    default: false,
    doc: 'Capture pods at all. The chart sets it.',
  },
  selectors: {
    env: 'AMBIENT_ENABLEMENT_SELECTOR',
    type: selectors,
    default: [],
    doc: 'Pods that belong to the mesh: a list of `podSelector` and `namespaceSelector`, one that matches is enough. With none, no pod does; the chart sets the usual two.',
  },
  excludedNamespaces: {
    env: 'EXCLUDE_NAMESPACES',
    type: list,
    default: [],
    doc: 'Namespaces whose pods are never captured. The chart sets `kube-system`.',
  },
  dnsCapture: {
    env: 'AMBIENT_DNS_CAPTURE',
    type: bool,
    default: false,
    doc: 'DNS queries of captured pods go to ztunnel, where a pod does not say otherwise by `ambient.istio.io/dns-capture`. The chart sets it.',
  },
  ipv6: {
    env: 'AMBIENT_IPV6',
    type: bool,
    default: false,
    doc: 'Capture IPv6 too; without it IPv6 traffic passes by the mesh. The chart sets it.',
  },
  reconcileRules: {
    env: 'AMBIENT_RECONCILE_POD_RULES_ON_STARTUP',
    type: bool,
    default: false,
    doc: 'At the start, set rules anew in captured pods where they differ, as after an upgrade. The chart sets it.',
  },
  nativeNftables: {
    env: 'NATIVE_NFTABLES',
    type: bool,
    default: false,
    doc: 'Prefer nftables to iptables. What works on the node is found out at the start either way.',
  },
  probeAddressV4: {
    env: 'HOST_PROBE_SNAT_IP',
    type: address(isIPv4, 'IPv4 address'),
    default: standardProbeAddress.v4,
    doc: "What the node's own probes of captured pods come from. No node, pod or Service may have it.",
  },
  probeAddressV6: {
    env: 'HOST_PROBE_SNAT_IPV6',
    type: address(isIPv6, 'IPv6 address'),
    default: standardProbeAddress.v6,
    doc: 'The same for IPv6.',
  },
  kubeletUid: {
    env: 'KUBELET_UID',
    type: int({ min: 0, max: 2 ** 32 - 1 }),
    default: 0,
    doc: "User that the node's kubelet runs as: nftables knows its probes by it. A name of ours.",
  },
  checkIntervalMs: {
    env: 'RULE_CHECK_INTERVAL',
    type: goDuration,
    default: 2 * second,
    doc: 'How often captured pods are looked at for rules that somebody has changed; `0` turns it off. A name of ours.',
  },
  proofIntervalMs: {
    env: 'CAPTURE_PROOF_INTERVAL',
    type: goDuration,
    default: 30 * second,
    doc: 'How often it is tried whether traffic of a captured pod reaches ztunnel; `0` turns it off. A name of ours.',
  },
  cutPlaintext: {
    env: 'CUT_PLAINTEXT_CONNECTIONS',
    type: bool,
    default: false,
    doc: 'Cut connections of a captured pod that go past ztunnel because they are older than its capture, so that applications open them anew. A name of ours.',
  },
  releaseGraceMs: {
    env: 'RELEASE_GRACE_PERIOD',
    type: goDuration,
    default: 30 * second,
    doc: 'How long connections that ztunnel carries go on in a pod that leaves the mesh; no less than ztunnel takes to drain. A name of ours.',
  },
  concurrency: {
    env: 'POD_CONCURRENCY',
    type: int({ min: 1, max: 256 }),
    default: 8,
    doc: 'Pods that are captured or released at a time. A name of ours.',
  },
});

export const clusterSettings = defineSettings('Cluster', {
  nodeName: { env: 'NODE_NAME', type: text, default: '', doc: 'Node that the agent runs on. Required.' },
  namespace: {
    env: 'POD_NAMESPACE',
    type: text,
    default: 'istio-system',
    doc: 'Namespace of the agent and its DaemonSet `istio-cni-node`.',
  },
  systemNamespace: {
    env: 'SYSTEM_NAMESPACE',
    type: text,
    default: 'istio-system',
    doc: 'Namespace of ztunnel, whose pods (`app=ztunnel`) are not captured.',
  },
  kubeconfig: {
    env: 'KUBECONFIG',
    type: optional(text),
    default: undefined,
    doc: 'File with address and credentials of the API server. Without it the service account of the pod is used.',
  },
  accountDirectory: {
    env: 'SERVICE_ACCOUNT_DIRECTORY',
    type: text,
    default: '/var/run/secrets/kubernetes.io/serviceaccount',
    doc: 'Files `token` and `ca.crt` of the service account; the plugin gets them too. A name of ours.',
  },
  apiHost: {
    env: 'KUBERNETES_SERVICE_HOST',
    type: text,
    default: '',
    doc: 'Host of the API server, as Kubernetes sets it; the plugin is told to use it. Required.',
  },
  apiPort: { env: 'KUBERNETES_SERVICE_PORT', type: port, default: 443, doc: 'Port of the API server.' },
});

export const installSettings = defineSettings('Installation', {
  chained: {
    env: 'CHAINED_CNI_PLUGIN',
    type: bool,
    default: true,
    doc: "Join the node's network configuration. Nothing else is supported: `false` is refused.",
  },
  configName: {
    env: 'CNI_CONF_NAME',
    type: optional(text),
    default: undefined,
    doc: 'File of the configuration to join. Without it the one that the container runtime uses.',
  },
  ownConfig: {
    env: 'ISTIO_OWNED_CNI_CONFIG',
    type: bool,
    default: false,
    doc: 'Keep a configuration of our own before that of the network plugin, whose file stays untouched: at a reboot no pod starts before this agent does.',
  },
  ownConfigName: {
    env: ['ISTIO_OWNED_CNI_CONFIG_FILENAME', 'ISTIO_OWNED_CNI_CONF_FILENAME'],
    type: text,
    default: '02-istio-cni.conflist',
    doc: 'Name of that file.',
  },
  pluginLogLevel: {
    env: ['PLUGIN_LOG_LEVEL', 'LOG_LEVEL_PLUGIN'],
    type: text,
    default: 'warn',
    doc: 'What the plugin logs: `debug`, `info`, `warn` or `error`.',
  },
  retryDetection: {
    env: 'ENABLE_AMBIENT_DETECTION_RETRY',
    type: bool,
    default: false,
    doc: 'The plugin asks the API server about a pod for half a minute, not for a second, before it fails.',
  },
  disableSafeUpgrade: {
    env: 'AMBIENT_DISABLE_SAFE_UPGRADE',
    type: bool,
    default: false,
    doc: 'Remove everything from the node whenever the agent ends, even if another one follows: pods that start meanwhile are not captured.',
  },
});

export const pathSettings = defineSettings('Paths and ports', {
  hostRoot: {
    env: 'HOST_ROOT',
    type: text,
    default: ROOT,
    doc: "Where the node's files are mounted; paths of network namespaces that the plugin names are below it. A name of ours.",
  },
  proc: {
    env: 'HOST_PROC',
    type: text,
    default: under('HOST_ROOT', ROOT, '/proc'),
    doc: "The node's `/proc`, writable. A name of ours.",
  },
  configDirectory: {
    env: 'MOUNTED_CNI_NET_DIR',
    type: text,
    default: under('HOST_ROOT', ROOT, '/etc/cni/net.d'),
    doc: "The node's directory of network configurations.",
  },
  binaryDirectory: {
    env: 'CNI_BIN_TARGET_DIR',
    type: text,
    default: under('HOST_ROOT', ROOT, '/opt/cni/bin'),
    doc: "The node's directory of network plugins. A name of ours.",
  },
  binarySource: {
    env: 'CNI_BIN_SOURCE',
    type: text,
    default: '/opt/cni/bin/istio-cni',
    doc: "The plugin's executable in the agent's image. A name of ours.",
  },
  runDirectory: {
    env: 'CNI_AGENT_RUN_DIR',
    type: text,
    default: RUN_DIRECTORY,
    doc: "Directory of the plugin's kubeconfig and of the agent's sockets, on the node.",
  },
  mountedRunDirectory: {
    env: 'MOUNTED_CNI_AGENT_RUN_DIR',
    type: text,
    default: derived('`CNI_AGENT_RUN_DIR`', (source) => source.get('CNI_AGENT_RUN_DIR') || RUN_DIRECTORY),
    doc: 'The same directory as the agent sees it. A name of ours.',
  },
  ztunnelSocket: {
    env: 'ZTUNNEL_UDS_ADDRESS',
    type: text,
    default: '/var/run/ztunnel/ztunnel.sock',
    doc: 'Socket on which the agent awaits ztunnel.',
  },
  switchToHost: {
    env: 'ALLOW_SWITCH_TO_HOST_NS',
    type: bool,
    default: true,
    doc: "Set the node's rule for probes in the namespace of the node's process 1. `false`: in the agent's own, which has to be the node's then.",
  },
  healthPort: {
    env: 'HEALTH_PORT',
    type: int({ min: 0, max: 65_535 }),
    default: 8000,
    doc: 'Port of `/healthz` and `/readyz`; `0` takes a free one. A name of ours.',
  },
  monitoringPort: {
    env: 'MONITORING_PORT',
    type: int({ min: 0, max: 65_535 }),
    default: 15014,
    doc: 'Port of `/metrics`; `0` takes a free one.',
  },
});

export const settingsSchemas = [
  ambientSettings,
  clusterSettings,
  installSettings,
  pathSettings,
  logSettings,
] as const;
