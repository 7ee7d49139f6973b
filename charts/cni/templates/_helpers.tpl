{{/* Labels of everything that the chart makes. */}}
{{- define "cni.labels" -}}
app.kubernetes.io/name: cni
app.kubernetes.io/part-of: ambient
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Image of the part: a whole reference, or a name within hub and tag. */}}
{{- define "cni.image" -}}
{{- if contains "/" .Values.image -}}
{{ .Values.image }}
{{- else -}}
{{ .Values.hub | default .Values.global.hub | default "ambient" }}/{{ .Values.image }}:{{ .Values.tag | default .Values.global.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "cni.pullPolicy" -}}
{{ .Values.imagePullPolicy | default .Values.pullPolicy | default .Values.global.imagePullPolicy | default "IfNotPresent" }}
{{- end -}}

{{/* Pull secrets of the chart and of all charts. */}}
{{- define "cni.pullSecrets" -}}
{{- with concat (.Values.imagePullSecrets | default list) (.Values.global.imagePullSecrets | default list) | uniq }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where a platform keeps what others keep in the usual places, as a dictionary of values. */}}
{{- define "cni.platformPlaces" -}}
{{- $platform := .Values.global.platform | default (ternary "gke" "" (contains "-gke" .Capabilities.KubeVersion.Version)) -}}
{{- $k3s := dict "cniConfDir" "/var/lib/rancher/k3s/agent/etc/cni/net.d" -}}
{{- $microk8s := "/var/snap/microk8s/current" -}}
{{- get (dict
  "gke" (dict "cniBinDir" "/home/kubernetes/bin")
  "k3d" (merge (dict "cniBinDir" "/bin") $k3s)
  "k3s" (merge (dict "cniBinDir" "/var/lib/rancher/k3s/data/cni") $k3s)
  "microk8s" (dict "cniBinDir" (print $microk8s "/opt/cni/bin") "cniConfDir" (print $microk8s "/args/cni-network"))
  "minikube" (dict "cniNetnsDir" "/var/run/docker/netns")
  "openshift" (dict "cniBinDir" "/var/lib/cni/bin" "cniConfDir" "/etc/cni/multus/net.d")
) $platform | default dict | toJson -}}
{{- end -}}

{{/* One place of the node: list of the chart's root, the value's name, and the usual place. */}}
{{- define "cni.place" -}}
{{- $places := include "cni.platformPlaces" (index . 0) | fromJson -}}
{{- get (index . 0).Values (index . 1) | default (get $places (index . 1)) | default (index . 2) -}}
{{- end -}}
