import type { Clock } from '@ambient/runtime';

import { ApiError, invalidOptions, methodNotAllowed, unsupportedMediaType } from '../errors.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import { deleteOptions } from '../operations/delete-options.ts';
import { isTrue, listOptions } from '../operations/list-options.ts';
import { listObjects } from '../operations/list.ts';
import type { ObjectOperations } from '../operations/objects.ts';
import { requestContext } from '../operations/request.ts';
import type { RequestContext, Target } from '../operations/request.ts';
import { watchObjects } from '../operations/watch.ts';
import { applyPatch, patchTypes } from '../patch/apply-patch.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import {
  mediaType,
  parseObjectBody,
  parseYamlBody,
  readBody,
  send,
  sendJson,
  warningHeaders,
} from './exchange.ts';
import type { HttpRequest } from './exchange.ts';
import { asObjects, negotiate } from './representation.ts';
import type { Representation, TablePrinter } from './representation.ts';
import type { Reviews } from './reviews.ts';
import type { ResourceRequest } from './resource-request.ts';
import type { Subresources } from './subresources.ts';
import { SharedEncodings, WatchResponse } from './watch-response.ts';

export interface ResourceHandlerOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly operations: ObjectOperations;
  readonly printTable: TablePrinter;
  readonly subresources: Subresources;
  readonly reviews: Reviews;
}

/** Answers requests for objects: reads the options, lets the operations do the work, writes the result. */
export class ResourceHandler {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #operations: ObjectOperations;
  readonly #printTable: TablePrinter;
  readonly #subresources: Subresources;
  readonly #reviews: Reviews;
  readonly #shared = new SharedEncodings();

  constructor(options: ResourceHandlerOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#operations = options.operations;
    this.#printTable = options.printTable;
    this.#subresources = options.subresources;
    this.#reviews = options.reviews;
  }

  /** @throws ApiError for whatever is refused */
  async handle(exchange: ResourceRequest): Promise<void> {
    const { target, request, query } = exchange;
    // The status is written like the object itself; every other part has a handler of its own.
    if (target.subresource !== undefined && !(target.subresource === 'status' && target.version.status)) {
      await this.#subresources.handle(exchange);
      return;
    }
    const collection = target.name === undefined;
    switch (request.method) {
      case 'GET':
        if (isTrue(query.get('watch'))) this.#watch(exchange);
        else if (collection) this.#list(exchange);
        else this.#answer(exchange, 200, this.#operations.get(target));
        return;
      case 'POST':
        if (!collection) throw methodNotAllowed();
        await this.#create(exchange);
        return;
      case 'PUT':
        if (collection) throw methodNotAllowed();
        await this.#update(exchange);
        return;
      case 'PATCH':
        if (collection) throw methodNotAllowed();
        await this.#patch(exchange);
        return;
      case 'DELETE':
        if (collection) await this.#deleteCollection(exchange);
        else await this.#delete(exchange);
        return;
      default:
        throw methodNotAllowed();
    }
  }

  #context(exchange: ResourceRequest): RequestContext {
    const { user, query, request } = exchange;
    return requestContext(
      user,
      query,
      request.headers['user-agent'] ?? '',
      optionKinds[request.method ?? ''],
    );
  }

  #representation(exchange: ResourceRequest): Representation {
    return negotiate(
      exchange.request.headers.accept ?? '',
      exchange.query,
      exchange.target,
      this.#printTable,
    );
  }

  #answer(
    exchange: ResourceRequest,
    code: number,
    object: ApiObject,
    warnings: readonly string[] = [],
  ): void {
    const representation = this.#representation(exchange);
    const body = representation.encode(representation.object(object, exchange.target));
    send(
      exchange.response,
      code,
      representation.contentType,
      body,
      warningHeaders([...deprecation(exchange.target), ...warnings]),
    );
  }

  #list(exchange: ResourceRequest): void {
    const { target } = exchange;
    if (target.resource.reviewOnly) throw methodNotAllowed();
    const page = listObjects(this.#store, target, listOptions(target.resource, exchange.query));
    const metadata: JsonObject = {
      resourceVersion: page.resourceVersion,
      ...(page.continueToken === '' ? {} : { continue: page.continueToken }),
      ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
    };
    const representation = this.#representation(exchange);
    const body = representation.encode(representation.list(page.items, metadata, target));
    send(exchange.response, 200, representation.contentType, body, warningHeaders(deprecation(target)));
  }

  #watch(exchange: ResourceRequest): void {
    const { target, response } = exchange;
    if (target.resource.reviewOnly) throw methodNotAllowed();
    const options = listOptions(target.resource, exchange.query);
    if (options.sendInitialEvents && options.resourceVersionMatch !== 'NotOlderThan')
      throw invalidOptions(
        'ListOptions',
        'FieldValueForbidden',
        'resourceVersionMatch',
        'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      );
    // Watching one object by its path is watching the collection for its name.
    const { name } = target;
    const selector =
      name === undefined
        ? options.selector
        : (object: ApiObject) => object.metadata.name === name && (options.selector?.(object) ?? true);
    const sink = new WatchResponse(response, target, this.#representation(exchange), this.#shared);
    let watch: Disposable | undefined;
    try {
      watch = watchObjects(this.#store, this.#clock, target, { ...options, selector }, sink);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      sink.error(error);
      sink.end();
    }
    sink.flushInitial();
    response.on('close', () => watch?.[Symbol.dispose]());
  }

  async #create(exchange: ResourceRequest): Promise<void> {
    const { target, request } = exchange;
    const body = parseObjectBody(mediaType(request), await readBody(request));
    const context = this.#context(exchange);
    if (target.resource.reviewOnly) {
      this.#answer(exchange, 201, await this.#reviews.answer(target, body, exchange.user));
      return;
    }
    const created = await this.#operations.create(target, body, context);
    this.#answer(exchange, 201, created, context.warnings);
  }

  async #update(exchange: ResourceRequest): Promise<void> {
    const { target, request } = exchange;
    const body = parseObjectBody(mediaType(request), await readBody(request));
    const context = this.#context(exchange);
    const updated = await this.#operations.update(target, body, context);
    this.#answer(exchange, 200, updated, context.warnings);
  }

  async #patch(exchange: ResourceRequest): Promise<void> {
    const { target, request } = exchange;
    const type = mediaType(request);
    const body = await readBody(request);
    const context = this.#context(exchange);
    if (type === 'application/apply-patch+yaml') {
      if ((exchange.query.get('fieldManager') ?? '') === '')
        throw invalidOptions(
          'PatchOptions',
          'FieldValueRequired',
          'fieldManager',
          'Required value: is required for apply patch',
        );
      const { object, created } = await this.#operations.apply(target, parseYamlBody(body), context);
      this.#answer(exchange, created ? 201 : 200, object, context.warnings);
      return;
    }
    if (!patchTypes.includes(type)) throw unsupportedMediaType(type, patchTypes);
    const patch = parseYamlBodyOfPatch(body);
    const patched = await this.#operations.change(
      target,
      (live) => applyPatch(type, live, patch, target),
      context,
    );
    this.#answer(exchange, 200, patched, context.warnings);
  }

  async #delete(exchange: ResourceRequest): Promise<void> {
    const { target, request, query } = exchange;
    const options = deleteOptions(await optionalBody(request), query);
    const context = this.#context(exchange);
    const { object, answered } = await this.#operations.delete(target, options, {
      ...context,
      dryRun: context.dryRun || options.dryRun,
    });
    if (answered) {
      this.#answer(exchange, 200, object, context.warnings);
      return;
    }
    const { name, uid } = object.metadata;
    const { group, plural } = target.resource;
    sendJson(
      exchange.response,
      200,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name, ...(group === '' ? {} : { group }), kind: plural, uid },
      },
      warningHeaders(context.warnings),
    );
  }

  async #deleteCollection(exchange: ResourceRequest): Promise<void> {
    const { target, request, query } = exchange;
    if (target.resource.reviewOnly || (target.resource.namespaced && target.namespace === undefined))
      throw methodNotAllowed();
    const options = deleteOptions(await optionalBody(request), query);
    const context = this.#context(exchange);
    const page = listObjects(this.#store, target, { ...listOptions(target.resource, query), limit: 0 });
    for (const { metadata } of page.items)
      try {
        await this.#operations.delete({ ...target, name: metadata.name }, options, context);
      } catch (error) {
        // Somebody else deleted it meanwhile, which is what this request wants.
        if (!(error instanceof ApiError) || error.code !== 404) throw error;
      }
    const list = asObjects.list(page.items, { resourceVersion: String(this.#store.resourceVersion) }, target);
    sendJson(exchange.response, 200, list, warningHeaders(context.warnings));
  }
}

const optionKinds: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
};

function deprecation(target: Target): string[] {
  const { deprecationWarning } = target.version;
  return deprecationWarning === undefined ? [] : [deprecationWarning];
}

async function optionalBody(request: HttpRequest): Promise<unknown> {
  const body = await readBody(request);
  return body.length === 0 ? undefined : parseObjectBody(mediaType(request), body);
}

function parseYamlBodyOfPatch(body: Buffer): unknown {
  const text = body.toString();
  // kubectl sends JSON; curl users send what they have at hand. JSON is tried first, as it is far quicker to read.
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return parseYamlBody(body);
  }
}
