import type { SettingProblem } from '@ambient/runtime';
import { parseYaml, YamlSyntaxError } from '@ambient/runtime';

/** What the proxy uses of Istio's ProxyConfig; other keys are ignored. */
export interface ProxyConfig {
  readonly discoveryAddress: string | undefined;
  readonly proxyAdminPort: number | undefined;
  readonly statsPort: number | undefined;
  /** Number of worker threads; 0 means one per CPU. */
  readonly concurrency: number | undefined;
  /** Keys without the prefix `ISTIO_META_`. */
  readonly proxyMetadata: Readonly<Record<string, string>>;
}

/** Where Istio mounts the mesh config, relative to the working directory. */
export const meshConfigPath = './etc/istio/config/mesh';

const metadataPrefix = 'ISTIO_META_';

const emptyProxyConfig: ProxyConfig = {
  discoveryAddress: undefined,
  proxyAdminPort: undefined,
  statsPort: undefined,
  concurrency: undefined,
  proxyMetadata: {},
};

/**
 * Reads the two places of the proxy config; what `PROXY_CONFIG` says wins over the mesh config's `defaultConfig`.
 *
 * @param meshConfig content of {@link meshConfigPath}, undefined if there is none
 * @param problems receives what cannot be used
 */
export async function readProxyConfig(
  meshConfig: string | undefined,
  proxyConfig: string,
  problems: SettingProblem[],
): Promise<ProxyConfig> {
  let result = emptyProxyConfig;
  if (meshConfig !== undefined && meshConfig.trim() !== '') {
    const root = await readMapping(meshConfigPath, meshConfig, problems);
    const defaults = root['defaultConfig'];
    if (isMapping(defaults))
      result = merge(result, interpret(`${meshConfigPath} defaultConfig`, defaults, problems));
    else if (defaults !== undefined && defaults !== null)
      problems.push(problem(meshConfigPath, 'defaultConfig', defaults, 'a mapping'));
  }
  if (proxyConfig.trim() !== '') {
    const root = await readMapping('PROXY_CONFIG', proxyConfig, problems);
    result = merge(result, interpret('PROXY_CONFIG', root, problems));
  }
  return result;
}

function merge(base: ProxyConfig, over: ProxyConfig): ProxyConfig {
  return {
    discoveryAddress: over.discoveryAddress ?? base.discoveryAddress,
    proxyAdminPort: over.proxyAdminPort ?? base.proxyAdminPort,
    statsPort: over.statsPort ?? base.statsPort,
    concurrency: over.concurrency ?? base.concurrency,
    proxyMetadata: { ...base.proxyMetadata, ...over.proxyMetadata },
  };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(where: string, key: string, value: unknown, expected: string): SettingProblem {
  return { env: `${where} ${key}`, value: JSON.stringify(value), expected };
}

async function readMapping(
  where: string,
  content: string,
  problems: SettingProblem[],
): Promise<Record<string, unknown>> {
  try {
    const value = await parseYaml(where, content);
    if (isMapping(value)) return value;
    if (value !== null) problems.push({ env: where, value: `(${typeof value})`, expected: 'a YAML mapping' });
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    problems.push({ env: where, value: '(document)', expected: `YAML (${reason})` });
  }
  return {};
}

function interpret(where: string, root: Record<string, unknown>, problems: SettingProblem[]): ProxyConfig {
  const number = (key: string, max: number, expected: string, min = 1): number | undefined => {
    const value = root[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(problem(where, key, value, expected));
    return undefined;
  };
  const address = root['discoveryAddress'];
  if (address !== undefined && address !== null && typeof address !== 'string')
    problems.push(
      problem(where, 'discoveryAddress', address, 'an address such as istiod.istio-system.svc:15012'),
    );
  return {
    discoveryAddress: typeof address === 'string' ? address : undefined,
    proxyAdminPort: number('proxyAdminPort', 65_535, 'a port from 1 to 65535'),
    statsPort: number('statsPort', 65_535, 'a port from 1 to 65535'),
    concurrency: number('concurrency', 9999, 'a number of threads', 0),
    proxyMetadata: readMetadata(where, root['proxyMetadata'], problems),
  };
}

function readMetadata(where: string, value: unknown, problems: SettingProblem[]): Record<string, string> {
  const metadata: Record<string, string> = {};
  if (value === undefined || value === null) return metadata;
  if (!isMapping(value)) {
    problems.push(problem(where, 'proxyMetadata', value, 'a mapping of texts'));
    return metadata;
  }
  for (const [key, entry] of Object.entries(value)) {
    // An unquoted `true` or 15053 is meant as text here, as in an environment.
    if (typeof entry === 'string' || typeof entry === 'number' || typeof entry === 'boolean')
      metadata[key.startsWith(metadataPrefix) ? key.slice(metadataPrefix.length) : key] = String(entry);
    else problems.push(problem(where, `proxyMetadata.${key}`, entry, 'a text'));
  }
  return metadata;
}
