import type { PreviousResult } from './config.ts';

/** A pod to capture, as `POST /cmdadd` of the agent takes it. Names and shapes are those that Go gives Istio's structures. */
export interface AddRequest {
  readonly Netns: string;
  readonly PodName: string;
  readonly PodNamespace: string;
  readonly IPs: readonly AddressOfPod[] | null;
}

export interface AddressOfPod {
  /** Index into the result's interfaces. */
  readonly Interface: number | null;
  /** The mask is base64 of its bytes. */
  readonly Address: { readonly IP: string; readonly Mask: string };
  /** Empty: there is none. */
  readonly Gateway: string;
}

export function addRequest(
  netns: string,
  pod: { readonly name: string; readonly namespace: string },
  result: PreviousResult,
): AddRequest {
  const addresses = (result.ips ?? []).map(({ address, gateway, interface: index }) => {
    const [ip = '', bits] = address.split('/', 2);
    const size = ip.includes(':') ? 16 : 4;
    return {
      Interface: index ?? null,
      Address: { IP: ip, Mask: maskOf(bits === undefined ? size * 8 : Number(bits), size) },
      Gateway: gateway ?? '',
    };
  });
  return {
    Netns: netns,
    PodName: pod.name,
    PodNamespace: pod.namespace,
    IPs: result.ips === undefined || result.ips === null ? null : addresses,
  };
}

function maskOf(bits: number, size: 4 | 16): string {
  const mask = Buffer.alloc(size);
  for (let bit = 0; bit < Math.min(bits, size * 8); bit++) mask[bit >> 3]! |= 0x80 >> (bit & 7);
  return mask.toString('base64');
}
