{{- define "database.name" -}}
{{ .Values.application }}-database
{{- end -}}

{{- define "database.selector" -}}
app.kubernetes.io/name: {{ include "database.name" . }}
app.kubernetes.io/component: database
{{- end -}}

{{- define "database.labels" -}}
{{ include "database.selector" . }}
app.kubernetes.io/part-of: {{ .Values.application }}
slipway.dev/environment: {{ .Values.environment }}
{{- end -}}

{{/* Nothing takes data away: neither an uninstall nor a sync that does not find it in git. */}}
{{- define "database.kept" -}}
helm.sh/resource-policy: keep
argocd.argoproj.io/sync-options: Prune=false,Delete=false
{{- end -}}

{{- define "database.image" -}}
{{- $image := .Values.database.image -}}
{{ $image.repository | default "postgres" }}:{{ $image.tag | default "18" }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end -}}
