import { badRequest, conflict, methodNotAllowed } from '../errors.ts';
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject } from '../object.ts';
import { deleteOptions } from '../operations/delete-options.ts';
import type { ObjectOperations } from '../operations/objects.ts';
import { requestContext } from '../operations/request.ts';
import type { Target } from '../operations/request.ts';
import { refuseBeyondBudget } from './disruption-budgets.ts';
import type { BudgetsOf } from './disruption-budgets.ts';
import { mediaType, parseObjectBody, readBody, sendJson } from './exchange.ts';
import { nodeOf, podStreamHandler, podStreamNames, withoutNodeAgent } from './pod-streams.ts';
import type { KubeletSockets } from './pod-streams.ts';
import type { ResourceRequest } from './resource-request.ts';
import type { SubresourceHandler, Subresources } from './subresources.ts';

/** What only a node can answer, and no node agent of the lab's does. */
const ofNodes = ['proxy', 'proxy/*'];

/**
 * The parts of pods that an API server has beside status.
 *
 * @param kubelets the Unix socket of a node's streaming server
 */
export function registerPodSubresources(
  subresources: Subresources,
  operations: ObjectOperations,
  kubelets: KubeletSockets,
  budgets: BudgetsOf,
): void {
  for (const name of ofNodes) subresources.register('pods.', name, noNodeAgent(operations));
  for (const name of podStreamNames)
    subresources.register('pods.', name, podStreamHandler(name, operations, kubelets));
  subresources.register('pods.', 'eviction', evictionHandler(operations, budgets));
  subresources.register('pods.', 'binding', bindingHandler(operations));
}

function noNodeAgent(operations: ObjectOperations): SubresourceHandler {
  return ({ target }) => {
    const pod = operations.get(wholeOf(target));
    throw withoutNodeAgent(pod, nodeOf(pod), target.subresource ?? '');
  };
}

/** `policy/v1 Eviction`: a deletion that a disruption budget refuses, if a controller counts for it and none is left. */
function evictionHandler(operations: ObjectOperations, budgets: BudgetsOf): SubresourceHandler {
  return async (exchange) => {
    const { target, query, response } = exchange;
    const eviction = await posted(exchange);
    refuseBeyondBudget(operations.get(wholeOf(target)), budgets);
    const options = deleteOptions(isJsonObject(eviction) ? eviction['deleteOptions'] : undefined, query);
    await operations.delete(wholeOf(target), options, contextOf(exchange));
    sendJson(response, 201, success);
  };
}

/** `v1 Binding`: gives a pod its node, once. */
function bindingHandler(operations: ObjectOperations): SubresourceHandler {
  return async (exchange) => {
    const { target, response } = exchange;
    const node = valueAt(await posted(exchange), ['target', 'name']);
    if (typeof node !== 'string' || node === '') throw badRequest('target.name: Required value');
    await operations.change(wholeOf(target), (pod) => bound(target, pod, node), contextOf(exchange));
    sendJson(response, 201, success);
  };
}

function bound(target: Target, pod: ApiObject, node: string): ApiObject {
  const spec = isJsonObject(pod['spec']) ? pod['spec'] : {};
  const current = spec['nodeName'];
  if (typeof current === 'string' && current !== '' && current !== node)
    throw conflict(
      { group: '', plural: 'pods/binding' },
      pod.metadata.name,
      `pod ${pod.metadata.name} is already assigned to node ${JSON.stringify(current)}`,
    );
  return { ...pod, spec: { ...spec, nodeName: node } };
}

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

async function posted({ request }: ResourceRequest): Promise<unknown> {
  if (request.method !== 'POST') throw methodNotAllowed();
  return parseObjectBody(mediaType(request), await readBody(request));
}

function contextOf({ user, query, request }: ResourceRequest): ReturnType<typeof requestContext> {
  return requestContext(user, query, request.headers['user-agent'] ?? '');
}

function wholeOf(target: Target): Target {
  return { ...target, subresource: undefined };
}
