import { duration } from '@ambient/runtime';

/** Milliseconds. */
export const second = 1000;
export const minute = 60 * second;
export const MiB = 1024 * 1024;

/** Istio's ztunnel reads a bare number as seconds, so these do too. */
export const ztunnelDuration = duration({ bareSeconds: true });
