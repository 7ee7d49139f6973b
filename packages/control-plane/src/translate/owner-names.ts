// What a workload is called in telemetry: the name of its controller, and its canonical service.
import type { ObjectMeta, OwnerReference } from '@ambient/kube';

/** A Job that a CronJob made ends in the minutes since 1970. */
const jobOfCronJob = /^(.+)-\d{8,10}$/;

/**
 * Name of the workload that a pod is part of: the label that says so; else, where the name of the object was generated,
 * that of its controller (of a ReplicaSet or Job, that of the Deployment, Rollout or CronJob behind it); else its own.
 */
export function workloadName(metadata: ObjectMeta): string {
  const named = metadata.labels?.['service.istio.io/workload-name'];
  if (named !== undefined && named !== '') return named;
  // A name that someone chose is the name, whoever owns the object.
  if (metadata.generateName === undefined || metadata.generateName === '') return metadata.name;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return controller === undefined ? metadata.name : controllerName(controller, metadata.labels ?? {});
}

/** The WorkloadGroup that registered an entry, by the annotation that Istio's registration sets. */
const REGISTRATION_GROUP_ANNOTATION = 'istio.io/autoRegistrationGroup';

/** Name of the workload that a WorkloadEntry is part of: its group, else the label that says so, else its own name. */
export function workloadEntryName({ name, labels, annotations }: ObjectMeta): string {
  return annotations?.[REGISTRATION_GROUP_ANNOTATION] ?? labels?.['service.istio.io/workload-name'] ?? name;
}

function controllerName(controller: OwnerReference, labels: Readonly<Record<string, string>>): string {
  switch (controller.kind) {
    case 'ReplicaSet':
      return withoutHash(controller.name, [
        labels['pod-template-hash'],
        labels['rollouts-pod-template-hash'],
      ]);
    case 'ReplicationController': {
      // OpenShift's DeploymentConfig.
      const deploymentConfig = labels['deploymentconfig'];
      return deploymentConfig === undefined || deploymentConfig === '' ? controller.name : deploymentConfig;
    }
    case 'Job':
      return jobOfCronJob.exec(controller.name)?.[1] ?? controller.name;
    default:
      return controller.name;
  }
}

function withoutHash(name: string, hashes: readonly (string | undefined)[]): string {
  for (const hash of hashes) {
    if (hash !== undefined && hash !== '' && name.endsWith(`-${hash}`))
      return name.slice(0, -hash.length - 1);
  }
  return name;
}

/** The canonical service; a label counts even when its value is empty. */
export function canonicalService(
  labels: Readonly<Record<string, string>> | undefined,
  name: string,
): { readonly canonicalName: string; readonly canonicalRevision: string } {
  return {
    canonicalName:
      labels?.['service.istio.io/canonical-name'] ??
      labels?.['app.kubernetes.io/name'] ??
      labels?.['app'] ??
      name,
    canonicalRevision:
      labels?.['service.istio.io/canonical-revision'] ??
      labels?.['app.kubernetes.io/version'] ??
      labels?.['version'] ??
      'latest',
  };
}
