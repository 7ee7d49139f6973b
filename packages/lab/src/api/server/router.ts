import type { TLSSocket } from 'node:tls';

import { aggregated, groupList, groupOf, kubernetesVersion, resourceList } from '../discovery/discovery.ts';
import { forbidden, methodNotAllowed, unauthorized, unknownPath } from '../errors.ts';
import type { JsonObject } from '../object.ts';
import type { User } from '../operations/request.ts';
import { parseResourcePath } from '../operations/request-path.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import { authenticate } from './authentication.ts';
import type { TokenAuthenticator } from './authentication.ts';
import { send, sendJson } from './exchange.ts';
import type { HttpRequest, HttpResponse, Upgrade } from './exchange.ts';
import type { ResourceHandler } from './resource-handler.ts';
import type { Subresources } from './subresources.ts';

/** A document by its exact path, for anyone who is authenticated; or for all, if it is public. */
export interface ApiDocument {
  readonly public?: boolean;
  /** @throws ApiError */
  serve(request: HttpRequest, response: HttpResponse, url: URL): void;
}

export interface RouterOptions {
  readonly registry: ResourceRegistry;
  readonly resources: ResourceHandler;
  readonly subresources: Subresources;
  readonly tokens: TokenAuthenticator;
  /** By path; one that ends in `/*` serves everything below it. */
  readonly documents: ReadonlyMap<string, ApiDocument>;
}

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Finds who answers a request: health, discovery, documents or objects. */
export class Router {
  readonly #registry: ResourceRegistry;
  readonly #resources: ResourceHandler;
  readonly #subresources: Subresources;
  readonly #tokens: TokenAuthenticator;
  readonly #documents: ReadonlyMap<string, ApiDocument>;

  constructor(options: RouterOptions) {
    this.#registry = options.registry;
    this.#resources = options.resources;
    this.#subresources = options.subresources;
    this.#tokens = options.tokens;
    this.#documents = options.documents;
  }

  /** @throws ApiError */
  async handle(
    request: HttpRequest,
    response: HttpResponse,
    socket: TLSSocket,
    upgrade?: Upgrade,
  ): Promise<void> {
    const url = parseUrl(request.url ?? '/');
    const path = url.pathname;
    if (path === '/healthz' || path === '/livez' || path === '/readyz') {
      send(response, 200, 'text/plain; charset=utf-8', 'ok');
      return;
    }
    if (path === '/version' || path === '/version/') {
      sendJson(response, 200, kubernetesVersion);
      return;
    }
    const document = this.#document(path);
    const user = authenticate(socket, request.headers.authorization, this.#tokens);
    if (user === undefined && document?.public !== true) throw unauthorized();
    refuseImpersonation(request, user);
    if (document !== undefined) {
      if (request.method !== 'GET') throw methodNotAllowed();
      document.serve(request, response, url);
      return;
    }
    const target = parseResourcePath(this.#registry, path);
    if (target !== undefined)
      await this.#resources.handle({
        target,
        user: user!,
        query: url.searchParams,
        request,
        response,
        ...(upgrade === undefined ? {} : { upgrade }),
      });
    else this.#discover(request, response, path);
  }

  #document(path: string): ApiDocument | undefined {
    const exact = this.#documents.get(path);
    for (
      let end = path.lastIndexOf('/');
      exact === undefined && end > 0;
      end = path.lastIndexOf('/', end - 1)
    ) {
      const above = this.#documents.get(`${path.slice(0, end)}/*`);
      if (above !== undefined) return above;
    }
    return exact;
  }

  #discover(request: HttpRequest, response: HttpResponse, path: string): void {
    const segments = path.split('/').filter((segment) => segment !== '');
    const [root, ...rest] = segments;
    if (request.method !== 'GET') throw methodNotAllowed();
    const others = this.#subresources.namesOf.bind(this.#subresources);
    if (rest.length === 0 && (root === 'api' || root === 'apis')) {
      if (wantsAggregated(request)) {
        const list = aggregated(this.#registry, root === 'api', others);
        sendJson(response, 200, list, { 'content-type': aggregatedType, vary: 'Accept' });
      } else sendJson(response, 200, root === 'api' ? coreVersions(request) : groupList(this.#registry));
      return;
    }
    let answer: JsonObject | undefined;
    if (segments.length === 0)
      answer = { paths: ['/api', '/api/v1', '/apis', '/healthz', '/openapi/v2', '/openapi/v3', '/version'] };
    else if (root === 'api' && rest.length === 1) answer = resourceList(this.#registry, '', rest[0]!, others);
    else if (root === 'apis' && rest.length === 1 && groupOf(this.#registry, rest[0]!) !== undefined)
      answer = { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(this.#registry, rest[0]!) };
    else if (root === 'apis' && rest.length === 2)
      answer = resourceList(this.#registry, rest[0]!, rest[1]!, others);
    if (answer === undefined) throw unknownPath();
    sendJson(response, 200, answer);
  }
}

function wantsAggregated(request: HttpRequest): boolean {
  return (request.headers.accept ?? '').split(',').some((part) => {
    const parameters = part.split(';').map((each) => each.trim());
    return parameters.includes('as=APIGroupDiscoveryList') && parameters.includes('v=v2');
  });
}

function coreVersions(request: HttpRequest): JsonObject {
  const authority = request.headers[':authority'] ?? request.headers.host ?? '';
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: authority }],
  };
}

function parseUrl(text: string): URL {
  try {
    return new URL(text, 'https://lab');
  } catch {
    throw unknownPath();
  }
}

/** Answered as somebody else, a request would do what its sender did not ask for. */
function refuseImpersonation(request: HttpRequest, user: User | undefined): void {
  const name = request.headers['impersonate-user'];
  if (typeof name === 'string' && user !== undefined)
    throw forbidden(
      { group: '', plural: 'users' },
      name,
      'this API has no impersonation; use a token of that user',
    );
}
