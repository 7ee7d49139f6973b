import type { LabCluster } from '@ambient/lab/cluster';
import { sampleApp } from '@ambient/testkit/lab';
import type { HttpAnswer } from '../../../test/netns/harness/index.ts';
import { appCommand } from '../apps/command.ts';
import type { TourApp } from '../apps/command.ts';
import { AppError, AppProcess } from './app-process.ts';

/** What the tour reads of a Pod. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string; readonly serviceAccountName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly restartCount: number;
      readonly containerID?: string;
    }[];
  };
}

/** A running pod, and what can be done inside: as `kubectl exec` would, but for the way through the API. */
export class TourPod {
  readonly #cluster: LabCluster;
  /** As the API had it when the tour began to look. */
  readonly object: PodObject;

  constructor(cluster: LabCluster, object: PodObject) {
    this.#cluster = cluster;
    this.object = object;
  }

  get name(): string {
    return this.object.metadata.name;
  }

  get namespace(): string {
    return this.object.metadata.namespace;
  }

  /** What it is a pod of: its label `app`. */
  get app(): string {
    return this.object.metadata.labels?.['app'] ?? this.name;
  }

  /** `namespace/app`, for people. */
  get title(): string {
    return `${this.namespace}/${this.app}`;
  }

  get node(): string {
    return this.object.spec.nodeName ?? '';
  }

  get ip(): string {
    return this.object.status?.podIP ?? '';
  }

  /** As it stands in certificates and logs. */
  get identity(): string {
    return `spiffe://cluster.local/ns/${this.namespace}/sa/${this.object.spec.serviceAccountName ?? 'default'}`;
  }

  /** Starts one of the tour's programs inside. */
  start(app: TourApp, options: Readonly<Record<string, string | number>>): AppProcess {
    return new AppProcess(`${app} in ${this.title}`, this.#spawn(appCommand(app, options)));
  }

  /** One HTTP GET, as an application of the pod makes it. Failures to connect are answers with `error`. @throws AppError */
  async get(url: string): Promise<HttpAnswer> {
    const call = new AppProcess(`http-get in ${this.title}`, this.#spawn(sampleApp('http-get', { url })));
    await call.end();
    const line = call.lines.findLast((each) => each.startsWith('{'));
    if (line === undefined)
      throw new AppError(`a request in ${this.title} said nothing of its result:\n${call.lines.join('\n')}`);
    return JSON.parse(line) as HttpAnswer;
  }

  #spawn(argv: readonly string[]) {
    const container = this.#cluster.kubelets.get(this.node)?.find(this.namespace, this.name, undefined);
    if (container === undefined) throw new AppError(`pod ${this.title} does not run`);
    return container.spawn(argv, { tty: false, stdin: false });
  }
}
