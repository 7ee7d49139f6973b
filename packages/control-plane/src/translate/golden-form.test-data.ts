// Wire messages in the form of golden/expected.
import { istio } from '@ambient/wire';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const { LoadBalancing, Service } = istio.workload;

type EnumObject = Readonly<Record<string, number | string>>;

const enums: Readonly<Record<string, EnumObject>> = {
  tunnel_protocol: istio.workload.TunnelProtocol,
  workload_type: istio.workload.WorkloadType,
  status: istio.workload.WorkloadStatus,
  network_mode: istio.workload.NetworkMode,
  app_protocol: istio.workload.AppProtocol,
  ip_families: istio.workload.IPFamilies,
  routing_preference: LoadBalancing.Scope,
  mode: LoadBalancing.Mode,
  health_policy: LoadBalancing.HealthPolicy,
  visibility: Service.Visibility,
  protocol: istio.workload.ApplicationTunnel.Protocol,
  scope: istio.security.Scope,
  action: istio.security.Action,
};

/** Lists of numbers that are one value: addresses and ports. */
const numberLists: ReadonlySet<string> = new Set(['destination_ports', 'not_destination_ports']);

/** Keys that are data, not names of fields. */
const maps: ReadonlySet<string> = new Set(['services']);

/** Messages whose definition writes a field in camel case (`serviceAccount`). */
const camelCased: ReadonlySet<string> = new Set(['service_accounts', 'not_service_accounts']);

/** A decoded message: names as in the protocol, defaults left out, lists sorted. */
export function goldenForm(message: object): Json {
  return form(message, '');
}

function form(value: unknown, field: string): Json {
  if (value instanceof Uint8Array) return value.join('.');
  if (Array.isArray(value)) {
    if (numberLists.has(field)) return value.join('.');
    const items = value.map((item) => form(item, field));
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value === 'number') return nameOf(value, field);
  if (typeof value !== 'object' || value === null) return value as Json;
  const result: Record<string, Json> = {};
  for (const key of Object.keys(value).sort()) {
    const each = (value as Record<string, unknown>)[key];
    const name = maps.has(field) || camelCased.has(field) ? key : snakeCase(key);
    if (!isDefault(each) && !isEmptyMap(each, name)) result[name] = form(each, name);
  }
  return result;
}

function nameOf(value: number, field: string): Json {
  const names = enums[field];
  if (names === undefined) return value;
  return Object.keys(names).find((name) => names[name] === value) ?? value;
}

function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

function isEmptyMap(value: unknown, name: string): boolean {
  return maps.has(name) && Object.keys(value as object).length === 0;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
