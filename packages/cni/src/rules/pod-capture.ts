/** How much of one pod's traffic is captured, and how. */
export interface PodCapture {
  /** Rules for IPv6 too. Without them IPv6 traffic of the pod is not carried by the mesh. */
  readonly ipv6: boolean;
  /** Plaintext to the pod goes to ztunnel's port 15006; false: past the mesh, to the application. */
  readonly inbound: boolean;
  /** The pod's DNS queries go to ztunnel's port 15053. */
  readonly dns: boolean;
  /** Interfaces of virtual machines or containers behind the pod, whose traffic counts as the pod's own. */
  readonly virtualInterfaces: readonly string[];
  /** What the node's own probes seem to come from; they pass by the mesh. */
  readonly probeAddress: ProbeAddress;
  /**
   * The pod is being released: nothing new is captured, and connections that ztunnel carries keep their translation until
   * they end. Without any rule the kernel would stop translating them at once.
   */
  readonly draining?: true;
}

export interface ProbeAddress {
  readonly v4: string;
  readonly v6: string;
}

/** What the node agent is set to, where a pod does not say otherwise. */
export interface CaptureDefaults {
  readonly ipv6: boolean;
  readonly dns: boolean;
  readonly probeAddress: ProbeAddress;
}

/** An annotation that cannot be used, and is as if it were not there. */
export interface AnnotationProblem {
  readonly annotation: string;
  readonly problem: string;
}

/** Link-local and unique-local addresses that no node, pod or service has: HOST_PROBE_SNAT_IP, HOST_PROBE_SNAT_IPV6. */
export const standardProbeAddress: ProbeAddress = {
  v4: '169.254.7.127',
  v6: 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff',
};

export const captureAnnotations = {
  bypassInbound: 'ambient.istio.io/bypass-inbound-capture',
  dns: 'ambient.istio.io/dns-capture',
  virtualInterfaces: 'istio.io/reroute-virtual-interfaces',
} as const;

// As the kernel limits a name (IFNAMSIZ), without what iptables and nft would take for syntax.
const INTERFACE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;

/** What a pod's annotations make of the defaults. A bad annotation is reported and the others count. */
export function podCapture(
  annotations: Readonly<Record<string, string>> | undefined,
  defaults: CaptureDefaults,
): { readonly capture: PodCapture; readonly problems: readonly AnnotationProblem[] } {
  const problems: AnnotationProblem[] = [];
  const read = (annotation: string): string | undefined =>
    annotations !== undefined && Object.hasOwn(annotations, annotation) ? annotations[annotation] : undefined;
  const bool = (annotation: string, fallback: boolean): boolean => {
    const value = read(annotation);
    if (value === undefined) return fallback;
    const parsed = parseBool(value);
    if (parsed === undefined)
      problems.push({ annotation, problem: `${JSON.stringify(value)} is neither "true" nor "false"` });
    return parsed ?? fallback;
  };
  const virtualInterfaces: string[] = [];
  for (const part of (read(captureAnnotations.virtualInterfaces) ?? '').split(',')) {
    const name = part.trim();
    if (name === '' || virtualInterfaces.includes(name)) continue;
    if (INTERFACE_NAME.test(name)) virtualInterfaces.push(name);
    else
      problems.push({
        annotation: captureAnnotations.virtualInterfaces,
        problem: `${JSON.stringify(name)} is no interface name: 1 to 15 letters, digits, "_", "." and "-"`,
      });
  }
  const capture = {
    ipv6: defaults.ipv6,
    inbound: !bool(captureAnnotations.bypassInbound, false),
    dns: bool(captureAnnotations.dns, defaults.dns),
    virtualInterfaces,
    probeAddress: defaults.probeAddress,
  };
  return { capture, problems };
}

/** The spellings that Go's strconv.ParseBool takes, with which Istio reads these annotations. */
function parseBool(value: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  return undefined;
}
