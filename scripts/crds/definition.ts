import type { Schema } from './schema.ts';

/** A column of `kubectl get`. `path` is a JSONPath into the object. */
export interface Column {
  readonly name: string;
  readonly path: string;
  readonly type?: 'string' | 'integer' | 'boolean' | 'date';
  /** Shown with `-o wide` only. */
  readonly wide?: true;
  readonly description?: string;
}

/** One version of a kind as the API server offers it. */
export interface Version {
  readonly name: string;
  readonly spec: Schema;
  readonly status?: Schema;
}

/** A kind: what a CustomResourceDefinition says, without its ceremony. */
export interface Kind {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly categories: readonly string[];
  readonly scope?: 'Cluster';
  readonly description: string;
  readonly columns: readonly Column[];
  /** Objects may do without a spec. */
  readonly optionalSpec?: true;
  /** Newest first; the API server prefers v1 over v1beta1 over v1alpha3 by itself. */
  readonly versions: readonly Version[];
  /** The version that is written to storage; must be among `versions`. */
  readonly stored: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const age: Column = { name: 'Age', path: '.metadata.creationTimestamp', type: 'date' };

/** The same schema under several version names. */
export function versions(names: readonly string[], schema: Omit<Version, 'name'>): readonly Version[] {
  return names.map((name) => ({ name, ...schema }));
}

/** The CustomResourceDefinition of a kind, as the API server takes it. */
export function customResourceDefinition(kind: Kind): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      // Deleting a definition deletes every object of its kind, so an uninstalled chart leaves it.
      annotations: { 'helm.sh/resource-policy': 'keep', ...kind.annotations },
      ...(kind.labels === undefined ? {} : { labels: kind.labels }),
    },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
        categories: kind.categories,
      },
      scope: kind.scope ?? 'Namespaced',
      versions: kind.versions.map((version) => versionOf(kind, version)),
    },
  };
}

function versionOf(kind: Kind, { name, spec, status }: Version): object {
  return {
    name,
    served: true,
    storage: name === kind.stored,
    ...(status === undefined ? {} : { subresources: { status: {} } }),
    additionalPrinterColumns: kind.columns.map(({ name: title, path, type, wide, description }) => ({
      name: title,
      type: type ?? 'string',
      jsonPath: path,
      ...(description === undefined ? {} : { description }),
      ...(wide === undefined ? {} : { priority: 1 }),
    })),
    schema: {
      openAPIV3Schema: {
        type: 'object',
        description: kind.description,
        ...(kind.optionalSpec === undefined ? { required: ['spec'] } : {}),
        properties: {
          apiVersion: { type: 'string', description: 'Group and version of this object.' },
          kind: { type: 'string', description: 'The kind of this object.' },
          metadata: { type: 'object' },
          spec,
          ...(status === undefined ? {} : { status }),
        },
      },
    },
  };
}
