// What a CA needs of @ambient/identity beside names and requests: to read, build and sign X.509 structures.
export { DerCursor, DerError, derTag, toHex } from './der.ts';
export type { DerElement } from './der.ts';
export { DerBuilder } from './der-builder.ts';
export type { Asn1Node } from './der-builder.ts';
export { CrlError, parseRevocationLists } from './crl.ts';
export type { RevocationList } from './crl.ts';
export {
  issueCertificate,
  issueRevocationList,
  SigningKeyError,
  workloadUsages,
} from './issue-certificate.ts';
export type { CertificateSpec, RevocationEntry, RevocationListSpec, Signer } from './issue-certificate.ts';
export { pemBodies, toPem } from './pem.ts';
export { oid } from './x509-oid.ts';
export { signatureScheme } from './x509-signature.ts';
export type { SignatureScheme } from './x509-signature.ts';
