import type { Workload } from '@ambient/mesh';
import { CLASS_IN, OPCODE_QUERY, recordTypes } from '../dns/message.ts';
import { planAnswer } from '../dns/plan-answer.ts';
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
  for (const type of scope === undefined ? [] : [recordTypes.A, recordTypes.AAAA]) {
    const plan = planAnswer(scope!, client, { type, name: hostname, class: CLASS_IN, opcode: OPCODE_QUERY });
    if (plan.kind === 'forward') break;
    const [ip] = plan.records.addresses;
    if (ip !== undefined) {
      use({ ip });
      return;
    }
    if (type === recordTypes.AAAA) {
      use({ problem: `${plan.service.key} has no address` });
      return;
    }
  }
  context.resolve(hostname, (addresses, error) => {
    const ip = addresses.find((each) => !each.includes(':')) ?? addresses[0];
    use(ip === undefined ? { problem: error ?? 'no address' } : { ip });
  });
}
