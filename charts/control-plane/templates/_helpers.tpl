{{/* Labels of everything that the chart makes. */}}
{{- define "control-plane.labels" -}}
app.kubernetes.io/name: control-plane
app.kubernetes.io/part-of: ambient
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Image of the part: a whole reference, or a name within hub and tag. */}}
{{- define "control-plane.image" -}}
{{- if contains "/" .Values.image -}}
{{ .Values.image }}
{{- else -}}
{{ .Values.hub | default .Values.global.hub | default "ambient" }}/{{ .Values.image }}:{{ .Values.tag | default .Values.global.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "control-plane.pullPolicy" -}}
{{ .Values.imagePullPolicy | default .Values.global.imagePullPolicy | default "IfNotPresent" }}
{{- end -}}

{{/* Pull secrets of the chart and of all charts. */}}
{{- define "control-plane.pullSecrets" -}}
{{- with concat (.Values.imagePullSecrets | default list) (.Values.global.imagePullSecrets | default list) | uniq }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Of Deployment and Service: proxies look for the Service by this name. */}}
{{- define "control-plane.name" -}}
istiod{{ with .Values.revision }}{{ if ne . "default" }}-{{ . }}{{ end }}{{ end }}
{{- end -}}
