import { isRecord } from '@ambient/kube';

import { CliError } from '../errors.ts';

/** Of `/config_dump`, what is shown. Everything may be missing: another version, or Istio's own ztunnel, wrote it. */
export interface ZtunnelDump {
  readonly workloads: readonly DumpedWorkload[];
  readonly services: readonly DumpedService[];
  readonly policies: readonly DumpedPolicy[];
  readonly certificates: readonly DumpedCertificate[];
  /** By uid. */
  readonly workloadState: Readonly<Record<string, DumpedState>>;
  /** All of it. */
  readonly whole: unknown;
}

interface DumpedGateway {
  readonly destination?: string;
}

export interface DumpedWorkload {
  readonly uid?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly workloadIps?: readonly string[];
  readonly hostname?: string;
  readonly node?: string;
  readonly protocol?: string;
  readonly status?: string;
  readonly waypoint?: DumpedGateway;
}

export interface DumpedService {
  readonly name?: string;
  readonly namespace?: string;
  readonly hostname?: string;
  /** `NETWORK/IP`. */
  readonly vips?: readonly string[];
  readonly waypoint?: DumpedGateway;
  readonly endpoints?: Readonly<Record<string, { readonly workloadUid?: string }>>;
}

export interface DumpedPolicy {
  readonly name?: string;
  readonly namespace?: string;
  readonly action?: string;
  readonly scope?: string;
}

export interface DumpedCertificate {
  readonly identity?: string;
  readonly state?: unknown;
  readonly certChain?: readonly DumpedPem[];
  readonly rootCerts?: readonly DumpedPem[];
}

export interface DumpedPem {
  /** Decimal. */
  readonly serialNumber?: string;
  readonly validFrom?: string;
  readonly expirationTime?: string;
}

export interface DumpedConnection {
  readonly src?: string;
  /** Outbound the address that was dialled; inbound the hostname of the service, if the client named one. */
  readonly originalDst?: string | null;
  readonly actualDst?: string;
  readonly protocol?: string;
}

export interface DumpedState {
  readonly state?: string;
  readonly connections?: {
    readonly inbound?: readonly DumpedConnection[];
    readonly outbound?: readonly DumpedConnection[];
  };
  readonly info?: { readonly name?: string; readonly namespace?: string };
}

/** @param source for the error. @throws CliError BAD_ANSWER */
export function parseDump(text: string, source: string): ZtunnelDump {
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (cause) {
    throw new CliError('BAD_ANSWER', `${source} is no JSON; give the answer of /config_dump of a ztunnel`, {
      cause,
    });
  }
  if (!isRecord(whole))
    throw new CliError(
      'BAD_ANSWER',
      `${source} is no JSON object; give the answer of /config_dump of a ztunnel`,
    );
  const { workloadState } = whole;
  return {
    workloads: entries(whole, 'workloads', source),
    services: entries(whole, 'services', source),
    policies: entries(whole, 'policies', source),
    certificates: entries(whole, 'certificates', source),
    workloadState: isRecord(workloadState) ? (workloadState as Record<string, DumpedState>) : {},
    whole,
  };
}

/** Older ztunnels wrote objects where lists are now. */
function entries<T>(whole: Readonly<Record<string, unknown>>, key: string, source: string): readonly T[] {
  const value = whole[key];
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value)
    ? (value as unknown[])
    : isRecord(value)
      ? Object.values(value)
      : undefined;
  if (list === undefined || !list.every(isRecord))
    throw new CliError(
      'BAD_ANSWER',
      `${source}: ${key} is no list of objects; is it a config dump of a ztunnel?`,
    );
  return list as readonly T[];
}
