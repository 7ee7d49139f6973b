import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigFile, PluginEntrySettings } from './conflist.ts';
import {
  configNames,
  entryProblem,
  isValidConfig,
  PLUGIN_TYPE,
  renderPluginEntry,
  withoutPlugin,
  withPlugin,
} from './conflist.ts';
import { ConflistError } from './errors.ts';
import { fileVersion, readIfThere, replaceByCopy, replaceFile, sameContent } from './files.ts';

export interface InstallerOptions {
  /** The node's /etc/cni/net.d. */
  readonly configDirectory: string;
  /** The node's /opt/cni/bin. */
  readonly binaryDirectory: string;
  /** The plugin's executable in the agent's image. */
  readonly binarySource: string;
  readonly entry: PluginEntrySettings;
  /** File to be part of (CNI_CONF_NAME); undefined: the one that the container runtime uses. */
  readonly configName: string | undefined;
  /**
   * Name of a list of our own, which holds the network plugin's list and our entry and comes before it; the network
   * plugin's own file stays untouched. undefined: our entry goes into that file.
   */
  readonly ownConfigName: string | undefined;
}

/** Something that was not as it should be, and is now. */
export interface Repair {
  readonly file: string;
  readonly problem: string;
}

const CONFIG_MODE = 0o644;
const BINARY_MODE = 0o755;
/** Beside a single plugin's configuration that has become a list; no container runtime reads a file of such a name. */
const SAVED_SUFFIX = '.before-istio-cni';

/** The plugin on a node: its binary, and its entry in the configuration of the node's network. */
export class PluginInstaller {
  readonly #options: InstallerOptions;
  readonly #entry: ReturnType<typeof renderPluginEntry>;
  /** Versions of the image's binary and the node's, when they were the same. */
  #sameBinary = '';

  constructor(options: InstallerOptions) {
    this.#options = options;
    this.#entry = renderPluginEntry(options.entry);
  }

  /**
   * Makes everything as it should be, and touches nothing that is. The binary comes first: an entry without it would keep
   * every pod from starting.
   * @returns what it had to do; empty: nothing
   * @throws ConflistError ERR_CONFLIST_ABSENT: there is no network plugin yet; ERR_CONFLIST_INVALID; ERR_CONFLIST_ORDER
   */
  install(): readonly Repair[] {
    return [...this.installBinary(), ...this.installEntry()];
  }

  /** Leaves the node as it was before: pods get their network as ever. The entry goes first. */
  uninstall(): void {
    const { configDirectory, binaryDirectory, ownConfigName } = this.#options;
    if (ownConfigName !== undefined) rmSync(join(configDirectory, ownConfigName), { force: true });
    for (const name of readdirSync(configDirectory)) this.#restore(name);
    rmSync(join(binaryDirectory, PLUGIN_TYPE), { force: true });
  }

  /** The first half of {@link install}. */
  installBinary(): readonly Repair[] {
    const { binaryDirectory, binarySource } = this.#options;
    mkdirSync(binaryDirectory, { recursive: true });
    const path = join(binaryDirectory, PLUGIN_TYPE);
    const versions = (): string => `${fileVersion(binarySource)}, ${fileVersion(path)}`;
    // To compare them takes a tenth of a second, in which the agent does nothing else.
    if (versions() === this.#sameBinary) return [];
    const present = existsSync(path);
    if (!present || !sameContent(binarySource, path)) {
      replaceByCopy(path, binarySource, BINARY_MODE);
      this.#sameBinary = versions();
      return [{ file: path, problem: present ? 'it was another version' : 'it was missing' }];
    }
    const asMeant = (statSync(path).mode & 0o777) === BINARY_MODE;
    if (!asMeant) chmodSync(path, BINARY_MODE);
    this.#sameBinary = versions();
    return asMeant ? [] : [{ file: path, problem: 'its permissions were changed' }];
  }

  /** The second half. @throws ConflistError as {@link install} */
  installEntry(): readonly Repair[] {
    const { configDirectory, ownConfigName } = this.#options;
    const network = this.#networkConfig();
    return ownConfigName === undefined
      ? this.#joinConfig(configDirectory, network)
      : this.#writeOwnConfig(configDirectory, network, ownConfigName);
  }

  #joinConfig(directory: string, network: ConfigFile): readonly Repair[] {
    const problem = entryProblem(network, this.#entry);
    if (problem === undefined) return [];
    const text = withPlugin(network, this.#entry);
    const name = network.name.endsWith('.conflist')
      ? network.name
      : network.name.replace(/\.(conf|json)$/, '.conflist');
    const path = join(directory, name);
    replaceFile(path, text, CONFIG_MODE);
    // A single plugin's file sorts before the list made of it, and would win.
    if (name !== network.name)
      renameSync(join(directory, network.name), join(directory, `${network.name}${SAVED_SUFFIX}`));
    const problems = {
      'not-valid': 'it was no list',
      missing: 'our entry was missing',
      'not-last': 'our entry was not the last',
      changed: 'our entry was another',
    };
    return [{ file: path, problem: problems[problem] }];
  }

  #writeOwnConfig(directory: string, network: ConfigFile, ownName: string): readonly Repair[] {
    if (ownName >= network.name)
      throw new ConflistError(
        'ERR_CONFLIST_ORDER',
        `${ownName} sorts behind ${network.name}, which the container runtime would use instead: choose another name`,
      );
    const path = join(directory, ownName);
    const wanted = withPlugin(network, this.#entry);
    const present = readIfThere(path)?.toString('utf8');
    if (present === wanted) return [];
    replaceFile(path, wanted, CONFIG_MODE);
    const problem =
      present === undefined ? 'it was missing' : `it was not what ${network.name} and our entry make`;
    return [{ file: path, problem }];
  }

  /** The network plugin's configuration. */
  #networkConfig(): ConfigFile {
    const { configDirectory, configName, ownConfigName } = this.#options;
    const names =
      configName === undefined
        ? configNames(readdirSync(configDirectory)).filter((name) => name !== ownConfigName)
        : // After the first installation a single plugin's configuration is a list.
          [configName.replace(/\.(conf|json)$/, '.conflist'), configName];
    for (const name of names) {
      const text = readIfThere(join(configDirectory, name))?.toString('utf8');
      if (text === undefined) continue;
      const file = { name, text };
      if (isValidConfig(file)) return file;
      if (configName !== undefined) withPlugin(file, this.#entry); // says what is wrong with it
    }
    throw new ConflistError(
      'ERR_CONFLIST_ABSENT',
      `no valid network configuration${configName === undefined ? '' : ` ${configName}`} in ${configDirectory}: the ` +
        'cluster needs a network plugin; this one joins it as soon as it is there',
    );
  }

  #restore(name: string): void {
    const directory = this.#options.configDirectory;
    if (name.endsWith(SAVED_SUFFIX)) {
      const original = name.slice(0, -SAVED_SUFFIX.length);
      // Back in its place first: it sorts before the list, so at no moment is there no network.
      renameSync(join(directory, name), join(directory, original));
      rmSync(join(directory, original.replace(/\.(conf|json)$/, '.conflist')), { force: true });
      return;
    }
    if (configNames([name]).length === 0) return;
    const text = readIfThere(join(directory, name))?.toString('utf8');
    if (text === undefined || !isValidConfig({ name, text })) return;
    const without = withoutPlugin({ name, text });
    if (without === 'nothing-left') rmSync(join(directory, name));
    else if (without !== undefined) replaceFile(join(directory, name), without.text, CONFIG_MODE);
  }
}
