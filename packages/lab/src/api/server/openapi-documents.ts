import { unknownPath } from '../errors.ts';
import type { JsonObject } from '../object.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import type { ServedResource } from '../resources/resource.ts';
import { openApiV2 } from '../schema/openapi/v2.ts';
import type { OpenApiV2 } from '../schema/openapi/v2.ts';
import { openApiV3Documents, openApiV3Index } from '../schema/openapi/v3.ts';
import { send, sendJson } from './exchange.ts';
import type { ApiDocument } from './router.ts';

const root = '/openapi/v3';

/** The OpenAPI documents of what is served at the moment: made when asked for, and kept until a resource changes. */
export function openApiDocuments(registry: ResourceRegistry): [string, ApiDocument][] {
  const v2 = remembered(registry, openApiV2);
  const v3 = remembered(registry, (served) => {
    const documents = openApiV3Documents(served);
    return { documents, index: openApiV3Index(documents) };
  });
  const serveV3: ApiDocument['serve'] = (_, response, url) => {
    const path = url.pathname.slice(root.length + 1);
    const document: JsonObject | undefined = path === '' ? v3().index : v3().documents.get(path);
    if (document === undefined) throw unknownPath();
    sendJson(response, 200, document);
  };
  return [
    [
      '/openapi/v2',
      {
        serve(request, response) {
          const { json, protobuf }: OpenApiV2 = v2();
          if ((request.headers.accept ?? '').includes('proto-openapi.spec.v2'))
            send(
              response,
              200,
              'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
              Buffer.from(protobuf.buffer, protobuf.byteOffset, protobuf.byteLength),
            );
          else sendJson(response, 200, json);
        },
      },
    ],
    [root, { serve: serveV3 }],
    [`${root}/*`, { serve: serveV3 }],
  ];
}

function remembered<T>(registry: ResourceRegistry, make: (served: ServedResource[]) => T): () => T {
  let last: { readonly generation: number; readonly value: T } | undefined;
  return () => {
    if (last?.generation !== registry.generation) {
      const served = [...registry.groups()].flatMap(([group, versions]) =>
        versions.flatMap((version) => registry.inVersion(group, version)),
      );
      last = { generation: registry.generation, value: make(served) };
    }
    return last.value;
  };
}
