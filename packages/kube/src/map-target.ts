import type { ReflectorTarget } from './reflector.ts';

/** Keeps a reflector's objects in a map, by `objectKey`. */
export function mapTarget<T>(map: Map<string, T>): ReflectorTarget<T> {
  return {
    get: (key) => map.get(key),
    keys: () => [...map.keys()],
    put: (key, object) => void map.set(key, object),
    remove: (key) => void map.delete(key),
  };
}
