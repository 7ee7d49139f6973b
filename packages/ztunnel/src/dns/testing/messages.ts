import { MeshStore, serviceWith, workloadWith } from '@ambient/mesh';
import type { Service, Workload } from '@ambient/mesh';
import * as dnsPacket from 'dns-packet';
import type { DnsQuery } from '../message.ts';
import { readQuery } from '../message.ts';
import type { NameScope } from '../plan-answer.ts';

export interface QuestionOptions {
  readonly id?: number;
  readonly type?: string;
  readonly class?: dnsPacket.RecordClass;
  /** Largest UDP answer taken, by EDNS; absent: no EDNS. */
  readonly edns?: number;
  readonly dnssecOk?: boolean;
  readonly flags?: number;
}

/** A query as an independent implementation writes it. */
export function queryMessage(name: string, options: QuestionOptions = {}): Buffer {
  const { id = 7, type = 'A', edns, flags = dnsPacket.RECURSION_DESIRED } = options;
  return dnsPacket.encode({
    type: 'query',
    id,
    flags,
    questions: [{ name, type: type as dnsPacket.RecordType, class: options.class ?? 'IN' }],
    additionals:
      edns === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: edns,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: options.dnssecOk === true ? dnsPacket.DNSSEC_OK : 0,
              flag_do: options.dnssecOk === true,
              options: [],
            },
          ],
  });
}

/** The query that a message holds. */
export function parsedQuery(message: Buffer): DnsQuery {
  const read = readQuery(message, message.length);
  if (read.kind !== 'query') throw new Error(read.why);
  return read.query;
}

/** An answer, as an independent implementation reads it. */
export interface Answer {
  readonly id: number;
  readonly rcode: string;
  readonly truncated: boolean;
  readonly authoritative: boolean;
  /** `NAME TYPE DATA`. */
  readonly records: readonly string[];
  readonly packet: dnsPacket.DecodedPacket;
}

export function readAnswer(message: Buffer): Answer {
  const packet = dnsPacket.decode(message);
  const records = (packet.answers ?? []).map((record) => {
    const { name, type } = record;
    return `${name} ${type} ${typeof (record as { data?: unknown }).data === 'string' ? (record as { data: string }).data : ''}`;
  });
  const { rcode } = packet as unknown as { rcode: string };
  return { id: packet.id!, rcode, truncated: packet.flag_tc, authoritative: packet.flag_aa, records, packet };
}

export const shopClient: Workload = workloadWith({ uid: 'client', name: 'client', namespace: 'shop' });

/** A mesh of these services, as a client of Kubernetes sees it; nothing is shuffled. */
export function scopeOf(services: readonly Service[], endpoints: readonly Workload[] = []): NameScope {
  const store = new MeshStore();
  store.apply([
    ...services.map((service) => ({ kind: 'service', service }) as const),
    ...endpoints.map((workload) => ({ kind: 'workload', workload }) as const),
  ]);
  return {
    store,
    clusterDomain: 'cluster.local',
    preferredNamespace: undefined,
    searchDomains: undefined,
    ipv6Enabled: true,
    random: () => 0.999,
  };
}

/** A service of one or more addresses in the client's network. */
export function serviceAt(namespace: string, hostname: string, ...ips: readonly string[]): Service {
  return serviceWith({ namespace, hostname, addresses: ips.map((ip) => ({ network: '', ip })) });
}
