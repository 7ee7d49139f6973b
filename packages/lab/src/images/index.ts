// What image names mean in the lab.
export { ImageCatalog, projectImages } from './catalog.ts';
export type { Image } from './catalog.ts';
