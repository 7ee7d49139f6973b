import type { BackendName } from '@ambient/cni';
import { probeNode } from '@ambient/cni';

const findings = (await probeNode(undefined, true)).backends.filter(({ name }) => name !== 'iptables');

/**
 * Ways to set rules that this machine's kernel has: `iptables` itself is one of its variants. nftables must be there; that
 * a kernel comes without the old tables is said once, and is no failure.
 */
export const backends: readonly BackendName[] = findings
  .filter(({ name, failure }) => name === 'nft' || failure === undefined)
  .map(({ name }) => name);

for (const { name, failure } of findings)
  if (!backends.includes(name)) console.log(`  rules are not tested with ${name}: ${failure}`);
