import { conflict, invalid, methodNotAllowed, notFound } from '../errors.ts';
import { isJsonObject, valueAt } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { ObjectOperations } from '../operations/objects.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { ServiceAccountTokens, TokenOrder, UidLookup } from '../tokens/service-account-tokens.ts';
import { tokenRequestProblems } from '../tokens/token-request.ts';
import { mediaType, parseObjectBody, readBody, sendJson } from './exchange.ts';
import type { Reviewer } from './reviews.ts';
import type { SubresourceHandler } from './subresources.ts';

const pluralOf = {
  ServiceAccount: 'serviceaccounts',
  Pod: 'pods',
  Secret: 'secrets',
  Node: 'nodes',
} as const;

/** The uids of the objects that tokens are bound to. */
export function uidLookup(store: ObjectStore): UidLookup {
  return (kind, namespace, name) =>
    store.get(`${pluralOf[kind]}.`, kind === 'Node' ? undefined : namespace, name)?.metadata.uid;
}

/** `POST .../serviceaccounts/NAME/token`: a TokenRequest (authentication.k8s.io/v1). */
export function tokenHandler(
  operations: ObjectOperations,
  store: ObjectStore,
  tokens: ServiceAccountTokens,
): SubresourceHandler {
  return async ({ target, request, response }) => {
    if (request.method !== 'POST') throw methodNotAllowed();
    const account = operations.get({ ...target, subresource: undefined });
    const { name, namespace = '', uid = '' } = account.metadata;
    const body = parseObjectBody(mediaType(request), await readBody(request));
    const spec = valueAt(body, ['spec']);
    const problems = tokenRequestProblems(spec);
    if (problems.length > 0)
      throw invalid(
        'TokenRequest',
        'authentication.k8s.io',
        '',
        problems.map(({ path, type, message }) => ({ reason: type, field: path, message })),
      );
    const wanted: JsonObject = isJsonObject(spec) ? spec : {};
    const audiences = Array.isArray(wanted['audiences']) ? wanted['audiences'].map(String) : [];
    const seconds = typeof wanted['expirationSeconds'] === 'number' ? wanted['expirationSeconds'] : 3600;
    const issued = tokens.issue({
      namespace,
      name,
      uid,
      audiences,
      expirationSeconds: seconds,
      ...boundTo(store, namespace, wanted['boundObjectRef']),
    });
    sendJson(response, 201, {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: null },
      spec: { ...wanted, audiences, expirationSeconds: seconds },
      status: issued,
    });
  };
}

type Binding = Pick<TokenOrder, 'boundPod' | 'boundSecret' | 'boundNode'>;

function boundTo(store: ObjectStore, namespace: string, ref: unknown): Binding {
  if (!isJsonObject(ref)) return {};
  const kind = ref['kind'] as 'Pod' | 'Secret' | 'Node';
  const name = String(ref['name']);
  const resource = { group: '', plural: pluralOf[kind] };
  const object = store.get(`${resource.plural}.`, kind === 'Node' ? undefined : namespace, name);
  if (object === undefined) throw notFound(resource, name);
  const uid = object.metadata.uid ?? '';
  const given = ref['uid'];
  if (typeof given === 'string' && given !== '' && given !== uid)
    throw conflict(
      resource,
      name,
      `the UID in the bound object reference (${given}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  const bound = { name, uid };
  if (kind === 'Node') return { boundNode: bound };
  if (kind === 'Secret') return { boundSecret: bound };
  const nodeName = valueAt(object, ['spec', 'nodeName']);
  if (typeof nodeName !== 'string' || nodeName === '') return { boundPod: bound };
  const node = store.get('nodes.', undefined, nodeName);
  return { boundPod: { ...bound, node: { name: nodeName, uid: node?.metadata.uid ?? '' } } };
}

/** Answers TokenReviews. */
export function tokenReviewer(tokens: ServiceAccountTokens): Reviewer {
  return (spec) => {
    const audiences = Array.isArray(spec['audiences']) ? spec['audiences'].map(String) : [];
    return { ...tokens.review(typeof spec['token'] === 'string' ? spec['token'] : '', audiences) };
  };
}
