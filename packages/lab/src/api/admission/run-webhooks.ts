import { randomUUID } from 'node:crypto';

import fastJsonPatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';

import { ApiError, badRequest } from '../errors.ts';
import { cloneJson, equalJson, isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import { endpointOf, WebhookCallError } from './webhook-call.ts';
import type { CallWebhook, ServiceResolver } from './webhook-call.ts';
import { webhookMatches } from './webhook-rules.ts';
import type { NamespaceLabels } from './webhook-rules.ts';
import type { AdmissionRequest, Webhook, WebhookConfiguration } from './webhook.ts';

export type AdmissionPhase = 'mutating' | 'validating';

export interface WebhookSurroundings {
  readonly call: CallWebhook;
  readonly resolveService: ServiceResolver;
  readonly namespaceLabels: NamespaceLabels;
  /** Told what webhooks warn of, and of those that failed and may (failurePolicy Ignore). */
  readonly warn: (warning: string) => void;
}

/**
 * Asks the webhooks of one phase (admission.k8s.io/v1). Mutating ones one after another, in order of configurations'
 * names, and once more those that ask for it after later ones changed the object; validating ones all at once.
 *
 * @returns the object to go on with; undefined for a deletion
 * @throws {ApiError} a webhook denied the request, or could not be asked and must be (failurePolicy Fail)
 */
export async function runWebhooks(
  phase: AdmissionPhase,
  request: AdmissionRequest,
  configurations: readonly WebhookConfiguration[],
  surroundings: WebhookSurroundings,
): Promise<JsonObject | undefined> {
  const webhooks = [...configurations]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((each) => each.webhooks ?? []);
  if (webhooks.length === 0) return request.object;
  const run = new WebhookRun(phase, surroundings);
  if (phase === 'validating') {
    await Promise.all(webhooks.map((webhook) => run.ask(webhook, request)));
    return request.object;
  }
  return run.mutate(webhooks, request);
}

class WebhookRun {
  readonly #phase: AdmissionPhase;
  readonly #surroundings: WebhookSurroundings;

  constructor(phase: AdmissionPhase, surroundings: WebhookSurroundings) {
    this.#phase = phase;
    this.#surroundings = surroundings;
  }

  async mutate(webhooks: readonly Webhook[], request: AdmissionRequest): Promise<JsonObject | undefined> {
    let current = request;
    let lastChange = -1;
    for (const [i, webhook] of webhooks.entries()) {
      const object = await this.ask(webhook, current);
      if (!equalJson(object, current.object)) lastChange = i;
      current = { ...current, object };
    }
    for (const [i, webhook] of webhooks.entries())
      if (webhook.reinvocationPolicy === 'IfNeeded' && i < lastChange)
        current = { ...current, object: await this.ask(webhook, current) };
    return current.object;
  }

  /** Asks one webhook, if it wants to be. Returns the object as it left it. */
  async ask(webhook: Webhook, request: AdmissionRequest): Promise<JsonObject | undefined> {
    if (!webhookMatches(webhook, request, this.#surroundings.namespaceLabels)) return request.object;
    if (request.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
      throw badRequest(`admission webhook "${webhook.name}" does not support dry run`);
    const uid = randomUUID();
    let response: JsonObject;
    try {
      const endpoint = endpointOf(webhook, this.#surroundings.resolveService);
      const body = JSON.stringify(reviewOf(uid, request));
      const timeoutMs = (webhook.timeoutSeconds ?? 10) * 1000;
      response = readResponse(await this.#surroundings.call(endpoint, body, timeoutMs), uid, this.#phase);
    } catch (error) {
      if (!(error instanceof WebhookCallError)) throw error;
      return this.#fail(webhook, request, error);
    }
    const warnings = Array.isArray(response['warnings']) ? response['warnings'] : [];
    for (const warning of warnings) if (typeof warning === 'string') this.#surroundings.warn(warning);
    if (response['allowed'] !== true) throw denial(webhook.name, response['status']);
    if (response['patch'] === undefined || response['patch'] === '') return request.object;
    try {
      return patched(request.object, response['patch']);
    } catch (error) {
      if (!(error instanceof WebhookCallError)) throw error;
      return this.#fail(webhook, request, error);
    }
  }

  #fail(webhook: Webhook, request: AdmissionRequest, error: WebhookCallError): JsonObject | undefined {
    const message = `failed calling webhook "${webhook.name}": ${error.message}`;
    if (webhook.failurePolicy !== 'Ignore')
      throw new ApiError(
        500,
        'InternalError',
        `Internal error occurred: ${message}`,
        { causes: [{ reason: '', message }] },
        error,
      );
    this.#surroundings.warn(`${message} (ignored: its failurePolicy is Ignore)`);
    return request.object;
  }
}

function reviewOf(uid: string, request: AdmissionRequest): JsonObject {
  const { group, version, kind, resource, subresource } = request;
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: { group, version, kind },
      resource: { group, version, resource },
      ...(subresource === '' ? {} : { subResource: subresource }),
      requestKind: { group, version, kind },
      requestResource: { group, version, resource },
      ...(subresource === '' ? {} : { requestSubResource: subresource }),
      ...(request.name === '' ? {} : { name: request.name }),
      ...(request.namespace === '' ? {} : { namespace: request.namespace }),
      operation: request.operation,
      userInfo: request.user,
      object: request.object ?? null,
      oldObject: request.oldObject ?? null,
      dryRun: request.dryRun,
      options: request.options ?? null,
    },
  };
}

/** @throws {WebhookCallError} it is no answer to this review */
function readResponse(text: string, uid: string, phase: AdmissionPhase): JsonObject {
  let review: unknown;
  try {
    review = JSON.parse(text);
  } catch (cause) {
    throw new WebhookCallError('received invalid webhook response: the answer is not JSON', { cause });
  }
  const invalid = (why: string): WebhookCallError =>
    new WebhookCallError(`received invalid webhook response: ${why}`);
  if (!isJsonObject(review)) throw invalid('the answer is not an object');
  const { apiVersion, kind, response } = review;
  const is = `${String(apiVersion)}, Kind=${String(kind)}`;
  if (is !== 'admission.k8s.io/v1, Kind=AdmissionReview')
    throw invalid(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${is}`);
  if (!isJsonObject(response)) throw invalid('webhook response was absent');
  if (response['uid'] !== uid)
    throw invalid(`expected response.uid="${uid}", got ${JSON.stringify(response['uid'])}`);
  const { patch, patchType } = response;
  if (phase === 'validating') {
    if (patch !== undefined) throw invalid('validating webhook may not return response.patch');
    if (patchType !== undefined) throw invalid('validating webhook may not return response.patchType');
  } else if (patch !== undefined) {
    if (patchType === undefined) throw invalid('webhook returned response.patch but not response.patchType');
    if (patchType !== 'JSONPatch')
      throw invalid(`webhook returned invalid response.patchType of ${JSON.stringify(patchType)}`);
  } else if (patchType !== undefined)
    throw invalid('webhook returned response.patchType but not response.patch');
  return response;
}

/** @throws {WebhookCallError} the patch cannot be read or applied */
function patched(object: JsonObject | undefined, encoded: unknown): JsonObject {
  if (object === undefined) throw new WebhookCallError('received a patch for a request that has no object');
  try {
    const operations = JSON.parse(Buffer.from(String(encoded), 'base64').toString()) as Operation[];
    const { newDocument } = fastJsonPatch.applyPatch<unknown>(cloneJson(object), operations, true);
    if (isJsonObject(newDocument)) return newDocument;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new WebhookCallError(`received undecodable patch in webhook response: ${why}`, { cause });
  }
  throw new WebhookCallError('received a patch in webhook response that leaves no object');
}

/** A denial as API servers word it; code and reason are the webhook's, where they are those of a refusal. */
function denial(name: string, status: unknown): ApiError {
  const { code, message, reason, details } = isJsonObject(status) ? status : {};
  const by = `admission webhook "${name}" denied the request`;
  const why = [message, reason].find((text): text is string => typeof text === 'string' && text !== '');
  return new ApiError(
    typeof code === 'number' && code >= 400 && code < 600 ? code : 400,
    typeof reason === 'string' ? reason : '',
    why === undefined ? `${by} without explanation` : `${by}: ${why}`,
    isJsonObject(details) ? details : undefined,
  );
}
