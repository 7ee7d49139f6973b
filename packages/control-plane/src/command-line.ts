import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { parseSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import type { CommonCommand } from '@ambient/runtime/entry';

import { normalizeSerial, RevocationRequestError } from './ca/revocation-edit.ts';
import { revocationReasons } from './ca/revocation-record.ts';
import type { RevocationReason } from './ca/revocation-record.ts';

/** Settings that flags give, by the names of their variables. */
export type Overrides = Readonly<Record<string, string>>;

/** What `revoke` revokes. */
export type RevocationTarget =
  | { readonly kind: 'serial'; readonly serialNumber: string }
  | { readonly kind: 'identity'; readonly identity: Identity };

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly overrides: Overrides }
  | {
      readonly kind: 'revoke';
      readonly overrides: Overrides;
      readonly target: RevocationTarget;
      readonly reason: RevocationReason;
    }
  /** `follow`: stay until the old root is gone. */
  | { readonly kind: 'rotate-root'; readonly overrides: Overrides; readonly follow: boolean }
  | CommonCommand;

/** The arguments cannot be used; the message goes behind the program's name. */
class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

const clusterFlags = { kubeconfig: 'KUBECONFIG', namespace: 'POD_NAMESPACE' } as const;
/** Flags that stand for a setting. */
const runFlags = {
  kubeconfig: 'KUBECONFIG',
  'plaintext-xds': 'PLAINTEXT_XDS_ADDRESS',
  'cluster-id': 'CLUSTER_ID',
  domain: 'CLUSTER_DOMAIN',
} as const;
const help = { type: 'boolean', short: 'h' } as const;

/**
 * Reads the arguments after the program's name. A first word `discovery`, which istiod's chart passes, is the same as
 * none.
 */
export function parseCommandLine(args: readonly string[]): Command {
  const [word, ...rest] = args;
  try {
    switch (word) {
      case 'revoke':
        return parseRevoke(rest);
      case 'rotate-root':
        return parseRotateRoot(rest);
      case 'discovery':
        return parseRun(rest);
      case 'compile':
        return { kind: 'compile' };
      default:
        return parseRun(args);
    }
  } catch (error) {
    // What parseArgs throws is a TypeError whose text names the argument.
    return { kind: 'wrong', problem: (error as Error).message };
  }
}

function parseRun(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: { ...texts(Object.keys(runFlags)), help, version: { type: 'boolean', short: 'v' } },
  });
  if (values.help === true) return { kind: 'help', text: helpText };
  if (values.version === true) return { kind: 'version' };
  return { kind: 'run', overrides: overridesOf(values, runFlags) };
}

function parseRevoke(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: { ...texts([...Object.keys(clusterFlags), 'serial', 'identity', 'reason']), help },
  });
  if (values.help === true) return { kind: 'help', text: revokeHelpText };
  const { serial, identity, reason = 'unspecified' } = values as Record<string, string | undefined>;
  if (!isReason(reason))
    throw new UsageError(
      `--reason ${reason} is not one of: ${Object.keys(revocationReasons).join(', ')} (RFC 5280 section 5.3.1)`,
    );
  return {
    kind: 'revoke',
    overrides: overridesOf(values, clusterFlags),
    target: readTarget(serial, identity),
    reason,
  };
}

function parseRotateRoot(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: { ...texts(Object.keys(clusterFlags)), follow: { type: 'boolean' }, help },
  });
  if (values.help === true) return { kind: 'help', text: rotateRootHelpText };
  return {
    kind: 'rotate-root',
    overrides: overridesOf(values, clusterFlags),
    follow: values.follow === true,
  };
}

function readTarget(serial: string | undefined, identity: string | undefined): RevocationTarget {
  if ((serial === undefined) === (identity === undefined))
    throw new UsageError('revoke needs either --serial HEX or --identity spiffe://…');
  if (serial !== undefined) return { kind: 'serial', serialNumber: readSerial(serial) };
  const parsed = parseSpiffe(identity!);
  if (parsed === undefined)
    throw new UsageError(
      `--identity ${JSON.stringify(identity!.slice(0, 200))} is not spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`,
    );
  return { kind: 'identity', identity: parsed };
}

function readSerial(text: string): string {
  try {
    return normalizeSerial(text);
  } catch (error) {
    if (!(error instanceof RevocationRequestError)) throw error;
    throw new UsageError(`--serial: ${error.message}`, { cause: error });
  }
}

function isReason(word: string): word is RevocationReason {
  return Object.hasOwn(revocationReasons, word);
}

function texts(names: readonly string[]): ParseArgsOptionsConfig {
  return Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
}

function overridesOf(
  values: Readonly<Record<string, unknown>>,
  flags: Readonly<Record<string, string>>,
): Overrides {
  const overrides: Record<string, string> = {};
  for (const [flag, variable] of Object.entries(flags)) {
    const value = values[flag];
    if (typeof value === 'string') overrides[variable] = value;
  }
  return overrides;
}

/** Text of `--help`. */
export const helpText = `usage: control-plane [discovery] [options]
       control-plane revoke --serial HEX | --identity spiffe://…
       control-plane rotate-root

The control plane of an ambient mesh: reads a cluster from the Kubernetes API, tells proxies what is in it (discovery), and
signs their certificates. It works with istio.io's and the Gateway API's objects as they are.

options:
  --kubeconfig FILE     API server to use; without it that of the cluster it runs in
  --plaintext-xds ADDR  also serve discovery without TLS and authentication, such as 127.0.0.1:15010; for debugging
  --cluster-id ID       name of the cluster (Kubernetes)
  --domain DOMAIN       DNS domain of the cluster (cluster.local)
  -h, --help            show this text, or behind a command that of the command
  -v, --version         show the version

commands for operators, which work through the Kubernetes API on a control plane that runs:
  revoke                revoke certificates: live connections are cut, new ones refused
  rotate-root           give the mesh a new root, with overlap

Everything else is set by the environment; docs/control-plane-settings.md lists every variable.

signals: SIGTERM and SIGINT end it: streams are closed cleanly, the lead is given back.
exit codes: 0 after an orderly end, 1 if it could not start or go on.
`;

const clusterOptions = `  --kubeconfig FILE     API server to use (KUBECONFIG); without it that of the cluster it runs in
  --namespace NAME      namespace of the control plane (istio-system)
  -h, --help            show this text`;

const revokeHelpText = `usage: control-plane revoke --serial HEX | --identity spiffe://… [options]

Revokes one certificate by its serial number, or all that an identity has got up to now. The control plane signs a new
revocation list and puts it into ConfigMap istio-ca-crl of every namespace. Proxies that mount it (CRL_PATH) cut live
connections of revoked certificates and refuse new ones. A revoked workload gets a new certificate when it asks: to keep
it out, take its pod or its account away too.

options:
  --serial HEX          as the CA's audit lines or openssl x509 -serial show it; colons are allowed
  --identity URI        spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT
  --reason WORD         ${Object.keys(revocationReasons).join(', ')}
${clusterOptions}

exit codes: 0 when the new list is in its ConfigMap, 1 if something failed or no control plane took it up in time.
`;

const rotateRootHelpText = `usage: control-plane rotate-root [options]

Asks the control plane for a new self-signed root. It is handed out beside the old one for the overlap (CA_ROOT_OVERLAP),
signs from then on, and after another overlap the old one is withdrawn; no connection fails. A CA of yours (cacerts) is
rotated by replacing its content instead.

options:
  --follow              stay, and report each step until the old root is gone
${clusterOptions}

exit codes: 0 when the new root is handed out (--follow: when the old one is gone), 1 if something failed.
`;
