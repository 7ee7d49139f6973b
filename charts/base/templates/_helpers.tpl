{{/* Labels of everything that the chart makes. */}}
{{- define "base.labels" -}}
app.kubernetes.io/name: base
app.kubernetes.io/part-of: ambient
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Names of cluster-wide objects carry the namespace, so that two meshes may live in one cluster. */}}
{{- define "base.clusterName" -}}
istiod{{ with .Values.revision }}-{{ . }}{{ end }}-{{ .Release.Namespace }}
{{- end -}}

{{/* The name under which istioctl and other tools look for the webhook. */}}
{{- define "base.validatorName" -}}
{{- if .Values.revision -}}
istio-validator-{{ .Values.revision }}-{{ .Release.Namespace }}
{{- else -}}
istiod-default-validator
{{- end -}}
{{- end -}}

{{/* The Service that chart control-plane makes. */}}
{{- define "base.serviceName" -}}
{{- $suffix := ternary "" (printf "-%s" .Values.revision) (or (empty .Values.revision) (eq .Values.revision "default")) -}}
{{ .Values.service.name | default (printf "istiod%s" $suffix) }}
{{- end -}}
