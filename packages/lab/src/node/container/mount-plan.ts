// How a container's root comes about from the machine's own. Pure, but for looking at the machine through an interface.

/** What a name on the machine is. */
export type EntryKind = 'directory' | 'file' | 'link' | 'none';

/** The machine's files, as far as a plan has to know them. */
export interface MachineFiles {
  kind(path: string): EntryKind;
  /** Where a symbolic link leads, as it is written. */
  link(path: string): string;
  /** The names in a directory. */
  entries(path: string): readonly string[];
  /** A directory that only its owner may enter: what is mounted below would be out of reach of other users. */
  isClosed(path: string): boolean;
}

/** Something that is to be seen in the container at `target`. */
export interface Mount {
  /** A path on the machine; undefined for an empty directory that is the container's own. */
  readonly source: string | undefined;
  readonly target: string;
  readonly file: boolean;
  readonly readOnly: boolean;
}

/** One step; paths of targets are below the new root. */
export type MountStep =
  /** The machine's directory with everything that is mounted below. */
  | { readonly do: 'bind-tree'; readonly source: string; readonly target: string }
  | { readonly do: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly do: 'tmpfs'; readonly target: string; readonly mode: string }
  | { readonly do: 'mkdir'; readonly target: string }
  | { readonly do: 'touch'; readonly target: string }
  | { readonly do: 'link'; readonly to: string; readonly target: string }
  /** Links to all that the machine has in a directory, except some names. */
  | {
      readonly do: 'link-entries';
      readonly source: string;
      readonly target: string;
      readonly except: readonly string[];
    };

/** Where a container finds the machine's own directories that it has private ones in place of. */
export const machineDirectory = '/.machine';

interface Place {
  readonly children: Map<string, Place>;
  mount: Mount | undefined;
}

/**
 * The machine's directories are seen as they are, except on the way to a mount whose place the machine has not: such a
 * directory is private, and links to the machine's own entries fill it. Nothing is made on the machine.
 *
 * @param mounts a later one lies over an earlier one at the same target; targets are absolute and may go through links
 * @throws RangeError for a target that is the root itself
 */
export function mountPlan(mounts: readonly Mount[], machine: MachineFiles): MountStep[] {
  const root: Place = { children: new Map(), mount: undefined };
  for (const mount of mounts) {
    const target = resolveTarget(mount.target, machine);
    if (target === '/') throw new RangeError('nothing can be mounted over the root of a container');
    let place = root;
    for (const name of target.slice(1).split('/')) {
      let next = place.children.get(name);
      if (next === undefined) {
        next = { children: new Map(), mount: undefined };
        place.children.set(name, next);
      }
      place = next;
    }
    place.mount = { ...mount, target };
  }
  const steps: MountStep[] = [];
  if (hasPrivate(root, '', machine)) {
    steps.push({ do: 'tmpfs', target: '', mode: '755' });
    for (const name of machine.entries('/')) {
      const kind = machine.kind(`/${name}`);
      if (root.children.has(name)) continue;
      if (kind === 'link') steps.push({ do: 'link', to: machine.link(`/${name}`), target: `/${name}` });
      if (kind === 'directory') bindTree(`/${name}`, steps);
    }
    putChildren(root, '', machine, steps);
  } else {
    steps.push({ do: 'bind-tree', source: '/', target: '' });
    for (const [name, place] of root.children) put(place, `/${name}`, machine, steps, false);
  }
  return steps;
}

/** The target with the machine's links followed, as far as it exists there. */
export function resolveTarget(target: string, machine: MachineFiles): string {
  const pending = target.split('/').filter((name) => name !== '' && name !== '.');
  let done: string[] = [];
  for (let links = 0; pending.length > 0;) {
    const name = pending.shift()!;
    if (name === '..') {
      done.pop();
      continue;
    }
    const path = `/${[...done, name].join('/')}`;
    // A chain without end leads nowhere: the name is taken as it stands.
    if (machine.kind(path) === 'link' && links < 40) {
      links += 1;
      const to = machine.link(path);
      if (to.startsWith('/')) done = [];
      pending.unshift(...to.split('/').filter((part) => part !== '' && part !== '.'));
    } else done.push(name);
  }
  return `/${done.join('/')}`;
}

/** Whether any directory has to be private: then the root is as well, since the machine's own is not written to. */
function hasPrivate(place: Place, path: string, machine: MachineFiles): boolean {
  if (needsPrivate(place, path, machine)) return true;
  return [...place.children].some(
    ([name, child]) => child.mount === undefined && hasPrivate(child, `${path}/${name}`, machine),
  );
}

/** Whether a mount goes to or through a child that the machine has not, or has otherwise, or out of reach. */
function needsPrivate(place: Place, path: string, machine: MachineFiles): boolean {
  if (place.children.size > 0 && path !== '' && machine.isClosed(path)) return true;
  for (const [name, child] of place.children) {
    const kind = machine.kind(`${path}/${name}`);
    const wanted = child.mount?.file === true ? 'file' : 'directory';
    if (kind !== wanted) return true;
  }
  return false;
}

/** @param fresh the target is an empty directory of the container's own */
function put(place: Place, path: string, machine: MachineFiles, steps: MountStep[], fresh: boolean): void {
  const { mount } = place;
  if (mount !== undefined) {
    if (fresh) steps.push({ do: mount.file ? 'touch' : 'mkdir', target: path });
    if (mount.source === undefined) steps.push({ do: 'tmpfs', target: path, mode: '1777' });
    else steps.push({ do: 'bind', source: mount.source, target: path, readOnly: mount.readOnly });
    putInside(place, path, machine, steps);
    return;
  }
  if (!fresh && !needsPrivate(place, path, machine)) {
    for (const [name, child] of place.children) put(child, `${path}/${name}`, machine, steps, false);
    return;
  }
  if (fresh) steps.push({ do: 'mkdir', target: path });
  else steps.push({ do: 'tmpfs', target: path, mode: '755' });
  fillPrivate(place, path, machine, steps);
}

/** Mounts within a mount: their places are made in the directory that is mounted. */
function putInside(place: Place, path: string, machine: MachineFiles, steps: MountStep[]): void {
  for (const [name, child] of place.children) {
    const target = `${path}/${name}`;
    if (child.mount !== undefined) put(child, target, machine, steps, true);
    else {
      steps.push({ do: 'mkdir', target });
      putInside(child, target, machine, steps);
    }
  }
}

/** Fills an empty directory of the container's own in place of one that the machine may have. */
function fillPrivate(place: Place, path: string, machine: MachineFiles, steps: MountStep[]): void {
  if (machine.kind(path) === 'directory') {
    const kept = `${machineDirectory}${path}`;
    steps.push({ do: 'mkdir', target: kept }, { do: 'bind-tree', source: path, target: kept });
    steps.push({ do: 'link-entries', source: path, target: path, except: [...place.children.keys()] });
  }
  putChildren(place, path, machine, steps);
}

/** What is mounted below a private directory. */
function putChildren(place: Place, path: string, machine: MachineFiles, steps: MountStep[]): void {
  for (const [name, child] of place.children) {
    const at = `${path}/${name}`;
    const isMachines = child.mount === undefined && machine.kind(at) === 'directory';
    if (isMachines && !needsPrivate(child, at, machine)) {
      bindTree(at, steps);
      for (const [inner, below] of child.children) put(below, `${at}/${inner}`, machine, steps, false);
    } else put(child, at, machine, steps, true);
  }
}

function bindTree(path: string, steps: MountStep[]): void {
  steps.push({ do: 'mkdir', target: path }, { do: 'bind-tree', source: path, target: path });
}
