import type { LocalSettings } from '../http2/settings.ts';

/** Istio's ztunnel as an HBONE server: 200 streams, header list 64 KiB. */
export const HBONE_SERVER_SETTINGS: LocalSettings = {
  initialWindowSize: 4 << 20,
  connectionWindowSize: 16 << 20,
  maxFrameSize: 1 << 20,
  maxConcurrentStreams: 200,
  maxHeaderListSize: 64 << 10,
  headerTableSize: 4096,
};

/** Istio's ztunnel as an HBONE client: header list 16 KiB. */
export const HBONE_CLIENT_SETTINGS: LocalSettings = { ...HBONE_SERVER_SETTINGS, maxHeaderListSize: 16 << 10 };
