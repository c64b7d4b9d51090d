{{- define "controller.selector" -}}
app.kubernetes.io/name: slipway-controller
app.kubernetes.io/component: controller
{{- end -}}

{{- define "controller.labels" -}}
{{ include "controller.selector" . }}
app.kubernetes.io/part-of: {{ .Values.application }}
slipway.dev/environment: {{ .Values.environment }}
{{- end -}}

{{/* What its config map holds: an Application a file, and a name for the user, which ssh asks for. */}}
{{- define "controller.files" -}}
{{- range $name, $text := .Values.controller.applications }}
{{ $name }}.yaml: {{ $text | toJson }}
{{- end }}
passwd: "slipway:x:{{ .Values.user }}:{{ .Values.user }}::/tmp:/sbin/nologin\n"
{{- end -}}
