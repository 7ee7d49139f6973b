import { join } from 'node:path';

/** What a container runs if its pod does not say otherwise. */
export interface Image {
  /** Replaced by the container's `command`. */
  readonly entrypoint: readonly string[];
  /** Replaced by the container's `args`, and dropped when it has a `command`. */
  readonly arguments: readonly string[];
}

/** An image that the lab has not. */
export class UnknownImageError extends Error {
  override readonly name = 'UnknownImageError';
  readonly code = 'ErrImagePull';
}

/**
 * What image names mean in the lab: nothing is pulled, each names a program of this project. Registry, tag and digest do not
 * matter.
 */
export class ImageCatalog {
  readonly #images: ReadonlyMap<string, Image>;

  constructor(images: Readonly<Record<string, Image>>) {
    this.#images = new Map(Object.entries(images));
  }

  get names(): readonly string[] {
    return [...this.#images.keys()].sort();
  }

  /** @throws UnknownImageError that names those there are */
  find(name: string): Image {
    const bare = withoutVersion(name);
    const parts = bare.split('/');
    const image = this.#images.get(bare) ?? this.#images.get(parts.slice(-2).join('/'));
    if (image !== undefined) return image;
    throw new UnknownImageError(
      `image ${JSON.stringify(name)} is not one of the lab's: there are ${this.names.join(', ')}`,
    );
  }
}

/**
 * The command line of a container (core/v1 Container.command, args).
 *
 * @param expand replaces references to variables
 */
export function commandLine(
  image: Image,
  { command, args }: { readonly command?: readonly string[]; readonly args?: readonly string[] },
  expand: (text: string) => string,
): string[] {
  const given = (words: readonly string[] | undefined): readonly string[] =>
    words === undefined ? [] : words.map(expand);
  if (command !== undefined && command.length > 0) return [...given(command), ...given(args)];
  const rest = args !== undefined && args.length > 0 ? given(args) : image.arguments;
  return [...image.entrypoint, ...rest];
}

/**
 * The images of this project.
 *
 * @param projectRoot the checkout
 * @param node the executable of Node.js
 */
export function projectImages(projectRoot: string, node: string): Readonly<Record<string, Image>> {
  const program = (path: string): Image => ({ entrypoint: [join(projectRoot, path)], arguments: [] });
  // Who starts a second time does not compile; the other programs see to that themselves.
  const cached = ['env', `NODE_COMPILE_CACHE=${join(projectRoot, 'node_modules/.cache/ambient-compile')}`];
  const typescript = (path: string): string[] => [
    ...cached,
    node,
    '--disable-warning=ExperimentalWarning',
    join(projectRoot, path),
  ];
  const samples = join(projectRoot, 'packages/testkit/src/sample-apps');
  return {
    'ambient/ztunnel': program('packages/ztunnel/bin/ztunnel'),
    'ambient/install-cni': program('packages/cni/bin/install-cni'),
    'ambient/control-plane': program('packages/control-plane/bin/control-plane'),
    'ambient/lab-dns': { entrypoint: typescript('packages/lab/src/network/dns/main.ts'), arguments: [] },
    // The first argument names the program: `args: [http-constant, --port, "8080"]`.
    'ambient/samples': {
      entrypoint: [
        ...cached,
        'sh',
        '-c',
        'samples=$1; app=$2; shift 2; exec "$0" --disable-warning=ExperimentalWarning "$samples/$app.ts" "$@"',
        node,
        samples,
      ],
      arguments: ['echo', '--port', '7'],
    },
    'ambient/shell': { entrypoint: [], arguments: ['sh'] },
  };
}

function withoutVersion(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
