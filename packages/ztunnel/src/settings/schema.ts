import { certificateSettings } from './certificate-settings.ts';
import { controlPlaneSettings, snapshotSettings } from './control-plane-settings.ts';
import { placeSettings } from './place-settings.ts';
import { processSettings } from './process-settings.ts';
import { trafficSettings } from './traffic-settings.ts';

// Names, defaults and meanings are those of Istio's ztunnel, so that its configuration runs unchanged; the few of our
// own say so in their documentation.

/** Every group, in the order of the documentation. */
export const settingsSchemas = [
  processSettings,
  placeSettings,
  controlPlaneSettings,
  snapshotSettings,
  certificateSettings,
  trafficSettings,
] as const;

export {
  certificateSettings,
  controlPlaneSettings,
  placeSettings,
  processSettings,
  snapshotSettings,
  trafficSettings,
};
export { istiodAddress as defaultControlPlane } from './istiod-defaults.ts';
