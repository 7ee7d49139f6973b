import { hboneFailures, tunnelRefusals } from '@ambient/hbone';
import { HTTP2_REASONS, errorCodeName } from '@ambient/http';
import { peerRefusals } from '@ambient/identity/peer';
import { systemErrors } from '@ambient/linux';
import { inboundRefusals, routeRefusals } from '@ambient/mesh';
import { tlsFailures } from '@ambient/tls';
import { proxyFailures } from '../connections/failure.ts';

/** What every row says, whatever else it holds. */
export interface ReasonRow {
  readonly meaning: string;
  readonly remedy: string;
}

/** One source of reason codes, as a section of docs/reasons.md. */
export interface ReasonTable<Code extends string = string> {
  readonly title: string;
  /** What the reader must know about all rows; Markdown. */
  readonly introduction: string;
  readonly rows: Readonly<Record<Code, ReasonRow>>;
  /** Name and content of one more column. */
  readonly extra?: { readonly head: string; cell(code: Code): string };
}

function reasonTable<Code extends string>(table: ReasonTable<Code>): ReasonTable<Code> {
  return table;
}

/** Every table of reason codes, in the order in which a connection meets them. */
export const reasonTables = [
  reasonTable({
    title: 'Outbound: no way to the destination',
    introduction:
      "Decided by the client's proxy before it dials. `response_flags` is `CONNECT`. `self-call` is also the reason for a plaintext connection to a port of the proxy.",
    rows: routeRefusals,
  }),
  reasonTable({
    title: 'Inbound: a tunnel request that cannot be served',
    introduction:
      "Decided by the server's proxy before it asks the policies. The client's proxy gets the status, and logs it as `refused-…`.",
    rows: inboundRefusals,
    extra: { head: 'status', cell: (code) => `${inboundRefusals[code].code}` },
  }),
  reasonTable({
    title: 'This proxy gave the connection up',
    introduction: 'In either direction.',
    rows: proxyFailures,
    extra: { head: 'flag', cell: (code) => proxyFailures[code].flag },
  }),
  reasonTable({
    title: 'The tunnel, or the connection between the proxies',
    introduction:
      'Where a more exact reason is known, one of the sections below, that one is logged instead.',
    rows: hboneFailures,
    extra: { head: 'flag', cell: (code) => hboneFailures[code].flag },
  }),
  reasonTable({
    title: "The other proxy's answer",
    introduction:
      'The log of the other proxy has the exact reason, under the same `dst.hbone_addr`. `response_flags` is `DENY` for 401, else `CONNECT`.',
    rows: tunnelRefusals,
  }),
  reasonTable({
    title: 'Identity of the other side',
    introduction:
      "Its certificate's chain is valid, its content is not. `response_flags` is `IDENTITY_ERROR`.",
    rows: peerRefusals,
  }),
  reasonTable({
    title: 'TLS',
    introduction:
      "Found by OpenSSL. `response_flags` is `TLS_FAILURE` until the other side's HTTP/2 SETTINGS have come, `CONNECT` later.",
    rows: tlsFailures,
  }),
  reasonTable({
    title: 'HTTP/2',
    introduction:
      'The other side broke a rule of HTTP/2 (RFC 9113 where no other is named), or asks for more than it may. It gets the error in GOAWAY or RST_STREAM.',
    rows: HTTP2_REASONS,
    extra: { head: 'error', cell: (code) => errorCodeName(HTTP2_REASONS[code].code) },
  }),
  reasonTable({
    title: 'System calls',
    introduction:
      'A code in capitals is the name of an errno. These are the ones that proxies meet; any other is explained by errno(3). The text names the call and the address.',
    rows: systemErrors,
  }),
] as const;

type CodeOf<Table> = Table extends ReasonTable<infer Code> ? Code : never;

/** Every code that a table explains. */
export type DocumentedReason = CodeOf<(typeof reasonTables)[number]>;
