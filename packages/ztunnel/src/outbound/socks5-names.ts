import type { Workload } from '@ambient/mesh';
import { CLASS_IN, OPCODE_QUERY, recordTypes } from '../dns/message.ts';
import { planAnswer } from '../dns/plan-answer.ts';
import type { NameScope } from '../dns/plan-answer.ts';
import type { WorkerContext } from '../worker/context.ts';

/** An address that a name stands for, or why there is none. */
export type NamedAddress =
  | { readonly ip: string; readonly problem?: undefined }
  | { readonly ip?: undefined; readonly problem: string };

/**
 * What a hostname means to a pod: a service of the mesh by the rules of its DNS, else what the proxy's own resolver says. IPv4
 * goes first, since a client of SOCKS cannot say which it wants.
 */
export function resolveForPod(
  context: Pick<WorkerContext, 'dns' | 'resolve'>,
  client: Workload,
  hostname: string,
  use: (found: NamedAddress) => void,
): void {
  const scope = context.dns?.scope;
  const ofMesh = scope && resolveInMesh(scope, client, hostname);
  if (ofMesh !== undefined) {
    use(ofMesh);
    return;
  }
  context.resolve(hostname, (addresses, error) => {
    const ip = addresses.find((each) => !each.includes(':')) ?? addresses[0];
    use(ip === undefined ? { problem: error ?? 'no address' } : { ip });
  });
}

/** undefined: it is no name of the mesh. */
function resolveInMesh(scope: NameScope, client: Workload, name: string): NamedAddress | undefined {
  let problem = '';
  for (const type of [recordTypes.A, recordTypes.AAAA]) {
    const plan = planAnswer(scope, client, { type, name, class: CLASS_IN, opcode: OPCODE_QUERY });
    if (plan.kind === 'forward') return undefined;
    const [ip] = plan.records.addresses;
    if (ip !== undefined) return { ip };
    problem = `${plan.service.key} has no address`;
  }
  return { problem };
}
