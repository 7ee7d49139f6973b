// Names that the parts of a cluster know each other's objects by.

/** The ConfigMap of each namespace that holds the certificate of the API server's authority. */
export const rootCaConfigMap = 'kube-root-ca.crt';

/** Where nodes keep their Leases. */
export const nodeLeaseNamespace = 'kube-node-lease';
