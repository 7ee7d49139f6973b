import type { SettingProblem, SettingsSource } from '@ambient/runtime';
import { collectByPrefix } from '@ambient/runtime';
import type { ProxyConfig } from './proxy-config.ts';
import { standardPorts } from './types.ts';
import type { ExtraHeader, LocalXdsSource, RootCertSource, TokenSource, ZtunnelSettings } from './types.ts';

/** Charts write an empty text where nothing is configured. */
export function emptyToUndefined(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** The address with `https://` if it has no scheme; undefined for the empty text. */
export function withScheme(env: string, address: string, problems: SettingProblem[]): string | undefined {
  if (address === '') return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `https://${address}`;
  if (!/^https?:\/\//i.test(full) || !URL.canParse(full)) {
    problems.push({
      env,
      value: JSON.stringify(address),
      expected: 'an address such as https://istiod.istio-system.svc:15012',
    });
  }
  return full;
}

/** What the text of a root setting means: `SYSTEM`, PEM text, or a path. */
export function rootCertSource(value: string, host: { exists(path: string): boolean }): RootCertSource {
  if (value === 'SYSTEM' && !host.exists(value)) return { kind: 'system' };
  if (value.includes('-----BEGIN')) return { kind: 'pem', pem: value };
  // A file that is not there yet may be mounted later; reading it then says so if it is not.
  return { kind: 'file', path: value };
}

const defaultTokenFile = './var/run/secrets/tokens/istio-token';

/** What the text of `AUTH_TOKEN` means: a path, or the token itself; unset: the default file if it is there now. */
export function tokenSource(value: string | undefined, host: { exists(path: string): boolean }): TokenSource {
  if (value === undefined || value === '')
    return host.exists(defaultTokenFile) ? { kind: 'file', path: defaultTokenFile } : { kind: 'none' };
  // A mistyped path must not be sent to anyone as a token.
  if (/^\.{0,2}\//.test(value) || host.exists(value)) return { kind: 'file', path: value };
  return { kind: 'literal', token: value };
}

/** The one of the two local sources that is set. */
export function localXds(path: string | undefined, yaml: string | undefined): LocalXdsSource | undefined {
  if (path !== undefined && path !== '') return { kind: 'file', path };
  return yaml === undefined || yaml === '' ? undefined : { kind: 'inline', yaml };
}

/** Headers collected by a prefix of the environment. */
export function readHeaders(
  source: SettingsSource,
  prefix: string,
  problems: SettingProblem[],
): readonly ExtraHeader[] {
  const headers: ExtraHeader[] = [];
  for (const [rest, value] of collectByPrefix(source, prefix)) {
    const name = rest.toLowerCase();
    // What gRPC accepts as ASCII metadata; `-bin` names are for binary values.
    if (/^[0-9a-z_.-]+$/.test(name) && !name.endsWith('-bin') && /^[\x20-\x7e]*$/.test(value))
      headers.push([name, value]);
    else
      problems.push({
        env: `${prefix}${rest}`,
        value: '(hidden)',
        expected:
          'a name of letters, digits, `_`, `.` or `-` that does not end in -bin, and a value of printable ASCII',
      });
  }
  return headers;
}

/** Structured metadata of the xDS node. */
export function readJsonMetadata(
  source: SettingsSource,
  problems: SettingProblem[],
): Record<string, unknown> {
  const metadata = new Map<string, unknown>(); // no object: a name may be __proto__
  for (const [name, value] of collectByPrefix(source, 'ISTIO_METAJSON_')) {
    try {
      metadata.set(name, JSON.parse(value) as unknown);
    } catch (error) {
      problems.push({
        env: `ISTIO_METAJSON_${name}`,
        value: JSON.stringify(value),
        expected: `JSON (${error instanceof Error ? error.message : String(error)})`,
      });
    }
  }
  return Object.fromEntries(metadata);
}

/** Whether and where DNS is served: `DNS_CAPTURE` and `DNS_PROXY_ADDR` of the proxy's metadata. */
export function readDns(
  proxyConfig: ProxyConfig,
  metadata: Readonly<Record<string, string>>,
  problems: SettingProblem[],
): Omit<ZtunnelSettings['dns'], 'resolvConfPath'> {
  const enabled = metadata['DNS_CAPTURE'] === undefined || metadata['DNS_CAPTURE'].toLowerCase() === 'true';
  const address = metadata['DNS_PROXY_ADDR'];
  if (address === undefined) return { enabled, host: 'localhost', port: standardPorts.dns };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2] ?? '';
  const fromProxyConfig = proxyConfig.proxyMetadata['DNS_PROXY_ADDR'] === address;
  if (
    match === null ||
    port > 65_535 ||
    port === 0 ||
    (host !== 'localhost' && !URL.canParse(`http://${match[1] === undefined ? host : `[${host}]`}`))
  )
    problems.push({
      env: fromProxyConfig ? 'PROXY_CONFIG proxyMetadata.DNS_PROXY_ADDR' : 'ISTIO_META_DNS_PROXY_ADDR',
      value: JSON.stringify(address),
      expected: 'an address such as 127.0.0.1:15053, [::1]:15053 or localhost:15053',
    });
  return { enabled, host, port };
}
