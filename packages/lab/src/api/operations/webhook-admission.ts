import { runWebhooks } from '../admission/run-webhooks.ts';
import type { AdmissionPhase, WebhookSurroundings } from '../admission/run-webhooks.ts';
import { webhookCaller } from '../admission/webhook-call.ts';
import type { DialPod, ServiceResolver } from '../admission/webhook-call.ts';
import type { AdmissionRequest } from '../admission/webhook.ts';
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Admission, AdmissionAttributes } from './admission.ts';

const group = 'admissionregistration.k8s.io';
const tables: Readonly<Record<AdmissionPhase, string>> = {
  mutating: `mutatingwebhookconfigurations.${group}`,
  validating: `validatingwebhookconfigurations.${group}`,
};

/** Asks the webhooks that are configured in the store at the moment. */
export function webhookAdmission(
  store: ObjectStore,
  resolveService: ServiceResolver,
  dial: DialPod | undefined,
): Admission {
  const surroundings: Omit<WebhookSurroundings, 'warn'> = {
    call: webhookCaller(dial),
    resolveService,
    namespaceLabels: (name) => store.get('namespaces.', undefined, name)?.metadata.labels,
  };
  const ask = async (
    phase: AdmissionPhase,
    attributes: AdmissionAttributes,
  ): Promise<ApiObject | undefined> => {
    const table = store.table(tables[phase]);
    if (table.size === 0) return attributes.object;
    const { warnings } = attributes.context;
    return (await runWebhooks(phase, requestOf(attributes), [...table.values()], {
      ...surroundings,
      warn: (warning) => warnings.push(warning),
    })) as ApiObject | undefined;
  };
  return {
    mutate: (attributes) => ask('mutating', attributes),
    validate: async (attributes) => {
      await ask('validating', attributes);
    },
  };
}

function requestOf(attributes: AdmissionAttributes): AdmissionRequest {
  const { target, name, context } = attributes;
  const { resource, version } = target;
  const ownNamespace = resource.group === '' && resource.kind === 'Namespace';
  return {
    operation: attributes.operation,
    group: resource.group,
    version: version.name,
    kind: resource.kind,
    resource: resource.plural,
    subresource: target.subresource ?? '',
    namespace: ownNamespace ? name : (target.namespace ?? ''),
    name,
    object: attributes.object,
    oldObject: attributes.oldObject,
    user: context.user,
    dryRun: context.dryRun,
  };
}

/** Where a Service is reached according to its EndpointSlices: the first endpoint that is ready. */
export function endpointSliceResolver(store: ObjectStore): ServiceResolver {
  return (namespace, name, port) => {
    const service = store.get('services.', namespace, name);
    const ports = valueAt(service, ['spec', 'ports']);
    const servicePort = (Array.isArray(ports) ? ports.filter(isJsonObject) : []).find(
      (each) => each['port'] === port,
    );
    if (servicePort === undefined) return undefined;
    for (const slice of store.table('endpointslices.discovery.k8s.io').inNamespace(namespace)) {
      if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
      const slicePort = listOf(slice['ports']).find(
        (each) => (each['name'] ?? '') === (servicePort['name'] ?? ''),
      );
      const ready = listOf(slice['endpoints']).find(
        (each) => valueAt(each, ['conditions', 'ready']) !== false,
      );
      const [host] = Array.isArray(ready?.['addresses']) ? (ready['addresses'] as unknown[]) : [];
      if (typeof host === 'string' && typeof slicePort?.['port'] === 'number')
        return { host, port: slicePort['port'] };
    }
    return undefined;
  };
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
