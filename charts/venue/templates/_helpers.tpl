{{- define "venue.selector" -}}
app.kubernetes.io/name: venue
app.kubernetes.io/component: venue
{{- end -}}

{{- define "venue.labels" -}}
{{ include "venue.selector" . }}
app.kubernetes.io/part-of: {{ .Values.application }}
slipway.dev/environment: {{ .Values.environment }}
{{- end -}}

{{/* An environment's service is neither pruned nor deleted by a sync. */}}
{{- define "venue.kept" -}}
argocd.argoproj.io/sync-options: Prune=false,Delete=false
{{- end -}}

{{/* JSON, which is YAML that keeps large numbers as they are. */}}
{{- define "venue.settings" -}}
{{ dict "trading" .Values.trading | toPrettyJson }}
{{- end -}}
