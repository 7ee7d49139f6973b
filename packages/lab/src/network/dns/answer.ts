// From a question to an answer, without sockets. Pure.
import { isIP } from 'node:net';
import type { Answer, Question } from 'dns-packet';

import { familyOf } from '../addresses.ts';
import type { Found, Zone, ZoneTarget } from './zone.ts';

/** Response codes (RFC 1035 section 4.1.1, RFC 6895). */
export const responseCodes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

export type ResponseCode = (typeof responseCodes)[keyof typeof responseCodes];

export interface ZoneAnswer {
  readonly kind: 'answer';
  readonly code: ResponseCode;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
  /** A name outside of the zone, at which the answer goes on. */
  readonly continueAt?: string;
}

/** What is to be done with a question. */
export type Decision =
  | ZoneAnswer
  /** Not of this zone: for others to answer, if there are any. */
  | { readonly kind: 'elsewhere'; readonly withoutOthers: ResponseCode };

/** Seconds; CoreDNS's default. Long enough for a burst, short enough for whoever waits for a change. */
const ttl = 5;
/** Of the schema of names (TXT dns-version). */
const schemaVersion = '1.1.0';

/** @param zoneName such as `cluster.local` @param serial of the zone, Unix time in seconds */
export function decide(question: Question, zone: Zone, zoneName: string, serial: number): Decision {
  const name = question.name.toLowerCase().replace(/\.$/, '');
  const suffix = `.${zoneName}`;
  if (name === zoneName || name.endsWith(suffix)) {
    const relative = name === zoneName ? '' : name.slice(0, -suffix.length);
    const found = zone.find(relative === '' ? [] : relative.split('.'));
    return answerFound(question, found, zoneName, serial);
  }
  const address = reversedAddress(name);
  if (address !== undefined) {
    const names = zone.namesOf(address);
    if (names.length > 0) {
      if (question.type !== 'PTR') return withoutData(zoneName, serial, responseCodes.noError);
      return answered(
        names.map((data) => ({ type: 'PTR', name: question.name, ttl, data: `${data}.${zoneName}` })),
      );
    }
  }
  // An address that nobody knows has no name: a resolver that is refused would go on asking.
  const isReverse = name.endsWith('.in-addr.arpa') || name.endsWith('.ip6.arpa');
  return {
    kind: 'elsewhere',
    withoutOthers: isReverse ? responseCodes.nameError : responseCodes.refused,
  };
}

function answerFound(question: Question, found: Found, zoneName: string, serial: number): ZoneAnswer {
  const { name, type } = question;
  switch (found.kind) {
    case 'missing':
      return withoutData(zoneName, serial, responseCodes.nameError);
    case 'empty':
      return withoutData(zoneName, serial, responseCodes.noError);
    case 'apex':
      if (type === 'SOA') return answered([startOfAuthority(zoneName, serial)]);
      if (type === 'NS') return answered([{ type: 'NS', name, ttl, data: `ns.dns.${zoneName}` }]);
      return withoutData(zoneName, serial, responseCodes.noError);
    case 'version':
      if (type === 'TXT') return answered([{ type: 'TXT', name, ttl: 28_800, data: schemaVersion }]);
      return withoutData(zoneName, serial, responseCodes.noError);
    case 'alias': {
      const answer = answered([{ type: 'CNAME', name, ttl, data: found.target }]);
      return type === 'CNAME' ? answer : { ...answer, continueAt: found.target };
    }
    case 'targets':
      return answerTargets(question, found.targets, zoneName, serial);
  }
}

function answerTargets(
  { name, type }: Question,
  targets: readonly ZoneTarget[],
  zoneName: string,
  serial: number,
): ZoneAnswer {
  if (type === 'A' || type === 'AAAA') {
    const addresses = new Set(targets.map(({ address }) => address));
    const answers = [...addresses].filter((address) => typeOf(address) === type);
    if (answers.length > 0) return answered(answers.map((data) => ({ type, name, ttl, data })));
  }
  if (type === 'SRV') {
    const services = new Map<string, { readonly port: number; readonly target: string }>();
    for (const { port, name: host } of targets)
      if (port !== undefined) services.set(`${port} ${host}`, { port, target: `${host}.${zoneName}` });
    if (services.size > 0) {
      const weight = Math.max(1, Math.floor(100 / services.size));
      const addresses = new Map(targets.map((target) => [`${target.address} ${target.name}`, target]));
      return {
        ...answered(
          [...services.values()].map((data) => ({ type, name, ttl, data: { priority: 0, weight, ...data } })),
        ),
        additionals: [...addresses.values()].map((target) => ({
          type: typeOf(target.address),
          name: `${target.name}.${zoneName}`,
          ttl,
          data: target.address,
        })),
      };
    }
  }
  return withoutData(zoneName, serial, responseCodes.noError);
}

function typeOf(address: string): 'A' | 'AAAA' {
  return familyOf(address) === 'v4' ? 'A' : 'AAAA';
}

function answered(answers: readonly Answer[]): ZoneAnswer {
  return { kind: 'answer', code: responseCodes.noError, answers, authorities: [], additionals: [] };
}

/** With the zone's SOA, by which whoever asked knows for how long there is nothing (RFC 2308 section 3). */
function withoutData(zoneName: string, serial: number, code: ResponseCode): ZoneAnswer {
  return {
    kind: 'answer',
    code,
    answers: [],
    authorities: [startOfAuthority(zoneName, serial)],
    additionals: [],
  };
}

function startOfAuthority(zoneName: string, serial: number): Answer {
  return {
    type: 'SOA',
    name: zoneName,
    ttl,
    data: {
      mname: `ns.dns.${zoneName}`,
      rname: `hostmaster.${zoneName}`,
      serial,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    },
  };
}

/** The address that a name below in-addr.arpa or ip6.arpa stands for; undefined for other names. */
export function reversedAddress(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa')) {
    const address = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
    return isIP(address) === 4 ? address : undefined;
  }
  if (!name.endsWith('.ip6.arpa')) return undefined;
  const digits = name.slice(0, -'.ip6.arpa'.length).split('.').reverse();
  if (digits.length !== 32 || !digits.every((digit) => /^[0-9a-f]$/.test(digit))) return undefined;
  return (digits.join('').match(/.{4}/g) ?? []).join(':');
}
