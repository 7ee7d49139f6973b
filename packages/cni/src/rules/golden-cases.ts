import { renderRestore } from './iptables-plan.ts';
import { iptablesPodTables } from './iptables-text.ts';
import { renderNftPodRules } from './nft-text.ts';
import type { PodCapture } from './pod-capture.ts';
import { standardProbeAddress } from './pod-capture.ts';

const base: PodCapture = {
  ipv6: true,
  inbound: true,
  dns: true,
  virtualInterfaces: [],
  probeAddress: standardProbeAddress,
};

const captures: Readonly<Record<string, PodCapture>> = {
  default: base,
  'ipv4-only': { ...base, ipv6: false },
  'without-dns': { ...base, dns: false },
  'bypass-inbound': { ...base, inbound: false },
  'virtual-interfaces': { ...base, virtualInterfaces: ['vm0', 'tap-1'] },
  'bypass-inbound-without-dns-virtual-interfaces': {
    ...base,
    inbound: false,
    dns: false,
    virtualInterfaces: ['vm0'],
  },
  draining: { ...base, draining: true },
  'other-probe-address': { ...base, probeAddress: { v4: '169.254.8.1', v6: 'fd00::8' } },
};

/** The files in `golden/`: name and content, for every kind of capture and every way to set it. */
export function goldenFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [name, capture] of Object.entries(captures)) {
    files.set(`${name}.nft`, renderNftPodRules(capture));
    files.set(`${name}.iptables`, renderRestore([], iptablesPodTables(capture, 'v4')));
    if (capture.ipv6) files.set(`${name}.ip6tables`, renderRestore([], iptablesPodTables(capture, 'v6')));
  }
  return files;
}
