import { admissionregistrationMessages } from './messages/admissionregistration.ts';
import { apiextensionsMessages } from './messages/apiextensions.ts';
import { appsMessages } from './messages/apps.ts';
import { authenticationMessages } from './messages/authentication.ts';
import { authorizationMessages } from './messages/authorization.ts';
import { autoscalingV1Messages } from './messages/autoscaling-v1.ts';
import { autoscalingMessages } from './messages/autoscaling.ts';
import { batchMessages } from './messages/batch.ts';
import { coordinationMessages } from './messages/coordination.ts';
import { coreMessages } from './messages/core.ts';
import { discoveryMessages } from './messages/discovery.ts';
import { eventsMessages } from './messages/events.ts';
import { metaMessages } from './messages/meta.ts';
import { networkingMessages } from './messages/networking.ts';
import { policyMessages } from './messages/policy.ts';
import { rbacMessages } from './messages/rbac.ts';
import { schedulingMessages } from './messages/scheduling.ts';
import { storageMessages } from './messages/storage.ts';
import { MessageTypes } from './message-types.ts';
import type { MessageType } from './message-types.ts';
import type { JsonObject } from '../object.ts';

export const messageTypes = new MessageTypes({
  admissionregistration: admissionregistrationMessages,
  apiextensions: apiextensionsMessages,
  apps: appsMessages,
  authentication: authenticationMessages,
  authorization: authorizationMessages,
  'autoscaling-v1': autoscalingV1Messages,
  autoscaling: autoscalingMessages,
  batch: batchMessages,
  coordination: coordinationMessages,
  core: coreMessages,
  discovery: discoveryMessages,
  events: eventsMessages,
  meta: metaMessages,
  networking: networkingMessages,
  policy: policyMessages,
  rbac: rbacMessages,
  scheduling: schedulingMessages,
  storage: storageMessages,
});

const tables: Readonly<Record<string, string>> = {
  v1: 'core',
  'admissionregistration.k8s.io/v1': 'admissionregistration',
  'apiextensions.k8s.io/v1': 'apiextensions',
  'apps/v1': 'apps',
  'authentication.k8s.io/v1': 'authentication',
  'authorization.k8s.io/v1': 'authorization',
  'autoscaling/v1': 'autoscaling-v1',
  'autoscaling/v2': 'autoscaling',
  'batch/v1': 'batch',
  'coordination.k8s.io/v1': 'coordination',
  'discovery.k8s.io/v1': 'discovery',
  'events.k8s.io/v1': 'events',
  'networking.k8s.io/v1': 'networking',
  'policy/v1': 'policy',
  'rbac.authorization.k8s.io/v1': 'rbac',
  'scheduling.k8s.io/v1': 'scheduling',
  'storage.k8s.io/v1': 'storage',
};
/** Every group version has these. */
const everywhere = new Set(['DeleteOptions', 'Status']);

/** How objects of a kind are encoded; undefined for custom resources, which have no such encoding. */
export function messageOfKind(apiVersion: string, kind: string): MessageType | undefined {
  if (everywhere.has(kind)) return messageTypes.find('meta', kind);
  const table = Object.hasOwn(tables, apiVersion) ? tables[apiVersion] : undefined;
  if (table === undefined) return undefined;
  const item = kind.endsWith('List') ? messageTypes.find(table, kind.slice(0, -4)) : undefined;
  return item === undefined ? messageTypes.find(table, kind) : listOf(item);
}

/** All lists of objects are alike. */
function listOf(item: MessageType): MessageType {
  const field = { map: false, inline: false, omitsZero: false, always: false };
  return {
    table: item.table,
    name: `${item.name}List`,
    byNumber: new Map([
      [1, { ...field, number: 1, name: 'metadata', repeated: false, type: 'meta.ListMeta' }],
      [2, { ...field, number: 2, name: 'items', repeated: true, type: item.name }],
    ]),
  };
}

/**
 * An object of a kind before anything is written into it: those members that are there in any case. Empty for custom
 * resources.
 */
export function zeroObject(apiVersion: string, kind: string): JsonObject {
  const type = messageOfKind(apiVersion, kind);
  return type === undefined ? {} : zeroOf(type);
}

function zeroOf(type: MessageType): JsonObject {
  const object: JsonObject = {};
  for (const field of type.byNumber.values())
    if (field.inline) Object.assign(object, zeroOf(messageTypes.message(type, field.type)));
    else if (field.always)
      object[field.name] = field.repeated ? [] : zeroOf(messageTypes.message(type, field.type));
  return object;
}
