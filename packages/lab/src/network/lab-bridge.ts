import { join } from 'node:path';

/** Path of the CNI plugin `lab-bridge`; a symbolic link to it, such as in a node's /opt/cni/bin, does as well. */
export const labBridge = join(import.meta.dirname, '..', '..', 'bin', 'lab-bridge');
