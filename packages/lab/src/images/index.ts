// What image names mean in the lab.
export { commandLine, ImageCatalog, projectImages, UnknownImageError } from './catalog.ts';
export type { Image } from './catalog.ts';
