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
