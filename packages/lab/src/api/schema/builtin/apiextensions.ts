import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1`, in the notation of {@link ApiTypes}. */
export const apiextensionsTypes = new ApiTypes(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  `
CustomResourceDefinition: metadata meta.ObjectMeta; spec! CustomResourceDefinitionSpec;
  status CustomResourceDefinitionStatus
CustomResourceDefinitionSpec: conversion CustomResourceConversion = {"strategy":"None"}; group! string;
  names! CustomResourceDefinitionNames; preserveUnknownFields boolean; scope! Cluster|Namespaced;
  versions! [CustomResourceDefinitionVersion] atomic
CustomResourceConversion: strategy! None|Webhook; webhook WebhookConversion
WebhookConversion: clientConfig WebhookClientConfig; conversionReviewVersions! [string] atomic
WebhookClientConfig: caBundle bytes; service ServiceReference; url string
ServiceReference: name! string; namespace! string; path string; port int32 = 443
CustomResourceDefinitionNames: categories [string] atomic; kind! string; listKind string; plural! string;
  shortNames [string] atomic; singular string
CustomResourceDefinitionVersion: additionalPrinterColumns [CustomResourceColumnDefinition] atomic;
  deprecated boolean; deprecationWarning string; name! string; schema CustomResourceValidation;
  selectableFields [SelectableField] atomic; served! boolean; storage! boolean;
  subresources CustomResourceSubresources
CustomResourceColumnDefinition: description string; format string; jsonPath! string; name! string;
  priority int32; type! string
CustomResourceValidation: openAPIV3Schema any
SelectableField: jsonPath! string
CustomResourceSubresources: scale CustomResourceSubresourceScale; status CustomResourceSubresourceStatus
CustomResourceSubresourceScale: labelSelectorPath string; specReplicasPath! string; statusReplicasPath! string
CustomResourceSubresourceStatus:
CustomResourceDefinitionStatus: acceptedNames CustomResourceDefinitionNames;
  conditions [CustomResourceDefinitionCondition] by type replace; observedGeneration int64;
  storedVersions [string] atomic
CustomResourceDefinitionCondition: lastTransitionTime Time; message string; observedGeneration int64;
  reason string; status string; type string
`,
  { meta: metaTypes },
);
