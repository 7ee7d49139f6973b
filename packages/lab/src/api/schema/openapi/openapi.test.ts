import { expect } from 'chai';
import { parse } from 'yaml';

import { valueAt } from '../../object.ts';
import type { JsonObject } from '../../object.ts';
import type { Resource, ServedResource } from '../../resources/resource.ts';
import { builtInSchema } from '../builtin.ts';
import { StructuralSchema } from '../structural-schema.ts';
import { decodeOpenApiV2 } from './v2-protobuf.ts';
import { openApiV2 } from './v2.ts';
import { openApiV3Documents, openApiV3Index } from './v3.ts';

function served(
  group: string,
  kind: string,
  plural: string,
  schema: StructuralSchema,
  custom = false,
): ServedResource {
  const version = { name: 'v1', served: true, schema, status: true, scale: undefined, columns: [] };
  const resource: Resource = {
    group,
    plural,
    singular: kind.toLowerCase(),
    kind,
    listKind: `${kind}List`,
    namespaced: true,
    shortNames: [],
    categories: [],
    versions: [version],
    storageVersion: 'v1',
    custom,
    reviewOnly: false,
    selectableFields: [],
  };
  return { resource, version };
}

const pods = served('', 'Pod', 'pods', builtInSchema('', 'v1', 'Pod')!);
const deployments = served('apps', 'Deployment', 'deployments', builtInSchema('apps', 'v1', 'Deployment')!);
const policies = served(
  'security.istio.io',
  'AuthorizationPolicy',
  'authorizationpolicies',
  StructuralSchema.parse({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        description: 'Who may call.',
        oneOf: [{ required: ['rules'] }, { required: ['targetRef'] }],
        properties: {
          action: { type: 'string', enum: ['ALLOW', 'DENY'] },
          port: { 'x-kubernetes-int-or-string': true },
          maybe: { type: 'object', nullable: true, properties: { a: { type: 'string' } } },
          rules: { type: 'array', maxItems: 3, items: { type: 'object' } },
        },
        'x-kubernetes-validations': [{ rule: 'true' }],
      },
    },
  }),
  true,
);
const everything = [pods, deployments, policies];
const pod = 'io.k8s.api.core.v1.Pod';
const policy = 'io.istio.security.v1.AuthorizationPolicy';

/** All `$ref` of a document, by what they name. */
function references(value: unknown, out = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return out;
  for (const [key, child] of Object.entries(value))
    if (key === '$ref') out.add(String(child).replace(/^.*\//, ''));
    else references(child, out);
  return out;
}

describe('OpenAPI documents', () => {
  const { json, protobuf } = openApiV2(everything);
  const definitions = json['definitions'] as Record<string, JsonObject>;

  it('refer only to definitions that are there', () => {
    expect(Object.keys(definitions)).to.include.members([...references(json)]);
    for (const document of openApiV3Documents(everything).values())
      expect(Object.keys(valueAt(document, ['components', 'schemas']) as object)).to.include.members([
        ...references(document),
      ]);
  });

  it('name kinds as clients look for them', () => {
    expect(definitions[pod]?.['x-kubernetes-group-version-kind']).to.deep.equal([
      { group: '', version: 'v1', kind: 'Pod' },
    ]);
    expect(valueAt(definitions[policy], ['properties', 'metadata', '$ref'])).to.equal(
      '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    );
  });

  it('of version 2 leave out what it cannot say', () => {
    const spec = valueAt(definitions[policy], ['properties', 'spec']) as JsonObject;
    expect(spec).not.to.have.any.keys('oneOf', 'x-kubernetes-validations');
    expect(valueAt(spec, ['properties', 'port'])).to.deep.equal({ type: 'string', format: 'int-or-string' });
    expect(valueAt(spec, ['properties', 'maybe'])).to.deep.equal({});
  });

  it('of version 3 keep everything, and put defaults beside references where they are read', () => {
    const documents = openApiV3Documents(everything);
    const schemas = valueAt(documents.get('apis/security.istio.io/v1'), ['components', 'schemas', policy]);
    expect(valueAt(schemas, ['properties', 'spec', 'oneOf'])).to.have.length(2);
    const template = valueAt(documents.get('api/v1'), [
      'components',
      'schemas',
      'io.k8s.api.core.v1.Container',
    ]);
    expect(valueAt(template, ['properties', 'resources'])).to.deep.equal({
      allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ResourceRequirements' }],
      default: {},
    });
  });

  it('tell that patches understand dryRun and fieldValidation', () => {
    const path = '/apis/apps/v1/namespaces/{namespace}/deployments/{name}';
    for (const document of [json, openApiV3Documents(everything).get('apis/apps/v1')]) {
      const patch = valueAt(document, ['paths', path, 'patch']) as JsonObject;
      expect(patch['x-kubernetes-group-version-kind']).to.deep.equal({
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
      });
      expect((patch['parameters'] as JsonObject[]).map(({ name }) => name)).to.include.members([
        'dryRun',
        'fieldValidation',
      ]);
    }
  });

  it('have an index whose addresses change with the documents', () => {
    const index = openApiV3Index(openApiV3Documents(everything));
    const url = (of: JsonObject): unknown => valueAt(of, ['paths', 'api/v1', 'serverRelativeURL']);
    expect(Object.keys(index['paths'] as object)).to.have.members([
      'api/v1',
      'apis/apps/v1',
      'apis/security.istio.io/v1',
    ]);
    expect(url(index)).to.match(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{64}$/);
    expect(url(openApiV3Index(openApiV3Documents([pods, deployments])))).to.equal(url(index));
    expect(
      url(openApiV3Index(openApiV3Documents([{ ...pods, version: { ...pods.version, status: false } }]))),
    ).not.to.equal(url(index));
  });

  it('of version 2 say the same as protocol buffer, in the field numbers of gnostic', () => {
    const decoded = decodeOpenApiV2(protobuf) as {
      definitions: { additional_properties: { name: string; value: JsonObject }[] };
    };
    const named = new Map(decoded.definitions.additional_properties.map(({ name, value }) => [name, value]));
    expect([...named.keys()]).to.deep.equal(Object.keys(definitions));
    const [extension] = named.get(pod)!['vendor_extension'] as { name: string; value: { yaml: string } }[];
    expect(extension?.name).to.equal('x-kubernetes-group-version-kind');
    expect(parse(extension!.value.yaml)).to.deep.equal([{ group: '', version: 'v1', kind: 'Pod' }]);
    // Document.swagger is field 1, a text: the document begins with it.
    expect([...protobuf.subarray(0, 5)]).to.deep.equal([0x0a, 3, ...Buffer.from('2.0')]);
  });
});
