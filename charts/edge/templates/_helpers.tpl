{{/* The one process that requests are for. */}}
{{- define "edge.live" -}}
{{- $live := list -}}
{{- range $name, $process := .Values.processes -}}
{{- if $process.live }}{{ $live = append $live $name }}{{ end -}}
{{- end -}}
{{- if ne (len $live) 1 -}}
{{- fail (printf "processes: %d have `live: true`; exactly one answers requests" (len $live)) -}}
{{- end -}}
{{- first $live -}}
{{- end -}}

{{/* Slots as a comma list; one empty name where there are none. */}}
{{- define "edge.slots" -}}
{{- if eq .Values.strategy "blueGreen" }}blue,green{{ end -}}
{{- end -}}

{{/* <application>-<slot>-<process>, as charts/trading names it. */}}
{{- define "edge.deployment" -}}
{{ .root.Values.application }}{{ with .slot }}-{{ . }}{{ end }}-{{ include "edge.live" .root }}
{{- end -}}

{{- define "edge.selector" -}}
app.kubernetes.io/name: {{ .root.Values.application }}
app.kubernetes.io/component: {{ include "edge.live" .root }}
{{- with .slot }}
slipway.dev/slot: {{ . }}
{{- end }}
{{- end -}}

{{- define "edge.labels" -}}
app.kubernetes.io/name: {{ .root.Values.application }}
app.kubernetes.io/component: {{ .component | default "edge" }}
app.kubernetes.io/part-of: {{ .root.Values.application }}
slipway.dev/environment: {{ .root.Values.environment }}
{{- end -}}
