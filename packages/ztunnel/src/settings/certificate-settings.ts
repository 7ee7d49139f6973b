import { bool, defineSettings, oneOf, optional, text } from '@ambient/runtime';
import { defaultRootFile, istiodAddress, rootDoc } from './istiod-defaults.ts';
import { minute, second } from './units.ts';
import { ztunnelDuration } from './ztunnel-duration.ts';

export const certificateSettings = defineSettings('Certificates', {
  caAddress: {
    env: 'CA_ADDRESS',
    type: text,
    default: istiodAddress,
    doc: 'Certificate authority; `https://` is added to an address without a scheme.',
  },
  caRootCa: { env: 'CA_ROOT_CA', type: text, default: defaultRootFile, doc: rootDoc },
  altCaHostname: {
    env: 'ALT_CA_HOSTNAME',
    type: optional(text),
    default: undefined,
    doc: 'A second name that the certificate of the CA may carry.',
  },
  secretTtlMs: {
    env: 'SECRET_TTL',
    type: ztunnelDuration({ minMs: second }),
    default: 24 * 60 * minute,
    doc: 'Life asked for workload certificates; renewal at half of it.',
  },
  fakeCa: {
    env: 'FAKE_CA',
    type: bool,
    default: false,
    doc: 'For trying things out only: sign certificates with a throwaway CA, and ask no other.',
  },
  fakeCaDir: {
    env: 'FAKE_CA_DIR',
    type: text,
    default: './var/run/ambient-fake-ca',
    doc: 'Our own: root and key of the throwaway CA, made on first use. Proxies pointed at one directory trust each other.',
  },
  crlPath: {
    env: 'CRL_PATH',
    type: optional(text),
    default: undefined,
    doc: 'Revocation lists, PEM or DER, reread when the file changes; live connections of revoked certificates are cut.',
  },
  tls12Enabled: {
    env: 'TLS12_ENABLED',
    type: bool,
    default: false,
    doc: 'Accept and offer TLS 1.2 with ECDHE and AES-GCM beside TLS 1.3.',
  },
  compliancePolicy: {
    env: 'COMPLIANCE_POLICY',
    type: optional(oneOf('pqc')),
    default: undefined,
    doc: '`pqc` allows the group X25519MLKEM768 only.',
  },
});
