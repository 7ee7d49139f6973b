{{/* Labels of everything that the chart makes. */}}
{{- define "ztunnel.labels" -}}
app.kubernetes.io/name: ztunnel
app.kubernetes.io/part-of: ambient
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Name of the DaemonSet and of its account. */}}
{{- define "ztunnel.resourceName" -}}
{{ .Values.resourceName | default "ztunnel" }}
{{- end -}}

{{/* Image of the part: a whole reference, or a name within hub and tag. */}}
{{- define "ztunnel.image" -}}
{{- if contains "/" .Values.image -}}
{{ .Values.image }}
{{- else -}}
{{ .Values.hub | default .Values.global.hub | default "ambient" }}/{{ .Values.image }}:{{ .Values.tag | default .Values.global.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "ztunnel.pullPolicy" -}}
{{ .Values.imagePullPolicy | default .Values.global.imagePullPolicy | default "IfNotPresent" }}
{{- end -}}

{{/* Pull secrets of the chart and of all charts. */}}
{{- define "ztunnel.pullSecrets" -}}
{{- with concat (.Values.imagePullSecrets | default list) (.Values.global.imagePullSecrets | default list) | uniq }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}
