import type { DoubleHboneRoute } from '@ambient/mesh';
import { ProxyError } from '../connections/failure.ts';
import type { WorkerContext } from '../worker/context.ts';
import type { OutboundCall } from './route-connection.ts';
import { giveUp } from './route-connection.ts';

/** Carries a connection in a tunnel inside a tunnel to the gateway of another network. */
export function sendDoubleHbone(context: WorkerContext, call: OutboundCall, chosen: DoubleHboneRoute): void {
  giveUp(context, call, new ProxyError('gateway-unknown', `double HBONE to ${chosen.authority}`));
}
