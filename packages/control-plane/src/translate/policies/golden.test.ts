// What Istio's discovery sends for the policies of the recorded scenarios, and what this control plane makes of them.
import { readdirSync, readFileSync } from 'node:fs';
import { istio } from '@ambient/wire';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { MemoryCluster } from '../../cluster/memory-cluster.test-data.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { translateAuthorizationPolicy } from './authorization-policy.ts';
import { policiesOf } from './of-workload.ts';
import { translatePeerAuthentication } from './peer-authentication.ts';

const mesh = { rootNamespace: 'istio-system', trustDomain: 'cluster.local' };
const golden = new URL('../golden/', import.meta.url);

/** Pods of which we differ on purpose: Istio attaches every selector policy to what has no labels. */
const different = new Set(['bare/none']);

type Json = string | boolean | Json[] | { [key: string]: Json };

/** A policy as the recording prints it: names as on the wire, defaults left out, numbers in lists joined by dots. */
function printed(value: unknown): Json {
  if (value instanceof Uint8Array) return [...value].join('.');
  if (Array.isArray(value)) {
    if (typeof value[0] === 'number') return value.join('.');
    return sorted(value.map((item: unknown) => printed(item)));
  }
  if (typeof value !== 'object' || value === null) return value as Json;
  const fields: { [key: string]: Json } = {};
  for (const [name, field] of Object.entries(value)) {
    const isDefault = field === 0 || field === false || (Array.isArray(field) && field.length === 0);
    if (!isDefault) fields[snakeCase(name)] = printed(named(name, field));
  }
  return fields;
}

function named(name: string, field: unknown): unknown {
  if (name === 'scope') return istio.security.Scope[field as number];
  if (name === 'action') return istio.security.Action[field as number];
  return field;
}

function snakeCase(name: string): string {
  return name === 'serviceAccount' ? name : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Order says nothing in policies; the recording sorts by text with sorted keys. */
function sorted(list: Json[]): Json[] {
  const text = (value: Json): string =>
    typeof value === 'object' && !Array.isArray(value)
      ? JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : JSON.stringify(value);
  return list.sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function canonical(value: Json): Json {
  if (Array.isArray(value)) return sorted(value.map(canonical));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, field]) => [key, canonical(field)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describe('policies of the recorded scenarios', () => {
  for (const file of readdirSync(new URL('scenarios/', golden)).sort()) {
    const name = file.replace(/\.yaml$/, '');
    const objects = parseAllDocuments(readFileSync(new URL(`scenarios/${file}`, golden), 'utf8')).map(
      (document) => document.toJS() as KubeObject,
    );
    const expected = JSON.parse(readFileSync(new URL(`expected/${name}.json`, golden), 'utf8')) as Record<
      string,
      Json
    >;
    const cluster = new MemoryCluster(objects);

    it(`${name}: the same policies, field by field`, () => {
      const policies: Record<string, Json> = {};
      for (const policy of cluster.all('AuthorizationPolicy')) {
        const { name: key, authorization } = translateAuthorizationPolicy(policy, mesh);
        if (authorization !== undefined) policies[`Authorization ${key}`] = canonical(printed(authorization));
      }
      for (const policy of cluster.all('PeerAuthentication'))
        for (const [key, authorization] of translatePeerAuthentication(policy, cluster, mesh).policies)
          policies[`Authorization ${key}`] = canonical(printed(authorization));
      const wanted = Object.entries(expected).filter(([key]) => key.startsWith('Authorization '));
      expect(policies).to.deep.equal(
        Object.fromEntries(wanted.map(([key, value]) => [key, canonical(value)])),
      );
    });

    it(`${name}: the same policies on each pod`, () => {
      for (const pod of cluster.all('Pod')) {
        const { name: podName, namespace = '', labels } = pod.metadata;
        const resource = JSON.stringify(expected[`Address Kubernetes//Pod/${namespace}/${podName}`] ?? null);
        // A pod that is not sent (no IP, or it has ended) has no policies to compare.
        if (resource === 'null') continue;
        const list = /"authorization_policies":(\[[^\]]*\])/.exec(resource)?.[1] ?? '[]';
        const wanted = different.has(`${namespace}/${podName}`) ? [] : (JSON.parse(list) as string[]);
        const keys = policiesOf({ namespace, labels }, cluster, mesh);
        expect([...keys].sort(), `${namespace}/${podName}`).to.deep.equal(wanted.sort());
      }
    });
  }
});
