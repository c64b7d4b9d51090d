{{/* A container of the engine's image. `part`: begin, judge or end; end is the step itself. */}}
{{- define "hook.engine" -}}
- name: {{ if eq .part "end" }}{{ .step }}{{ else }}{{ .part }}{{ end }}
  image: {{ include "slot.image" (dict "image" .root.Values.engineImage "tag" (required "hooks need engineImage.tag, one that is never moved" .root.Values.engineImage.tag)) }}
  imagePullPolicy: {{ .root.Values.engineImage.pullPolicy }}
  command: [slipway, hook, {{ .step }}]
  args:
    - --environment={{ .root.Values.environment }}
    - --release={{ .root.Values.release.id }}
    - --slot={{ .root.Values.slot }}
    {{- with .key }}
    - --once-key={{ . }}
    {{- end }}
    {{- if ne .part "end" }}
    - --part={{ .part }}
    {{- end }}
    {{- if eq .step "backup" }}
    {{- if .root.Values.hooks.backup.claim }}
    - --backups=/backups
    {{- else if .root.Values.hooks.backup.none }}
    - --backups=none
    {{- end }}
    {{- end }}
  {{- include "hook.around" . | nindent 2 }}
    {{- if and .row.reads (eq .part "end") }}
    - {name: api, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
    {{- end }}
    {{- if and (eq .step "backup") (eq .part "end") .root.Values.hooks.backup.claim }}
    - {name: backups, mountPath: /backups}
    {{- end }}
{{- end -}}

{{/* A container of the application's own image, which leaves answers for the engine's. */}}
{{- define "hook.application" -}}
- name: {{ .name }}
  image: {{ include "slot.image" (dict "image" .root.Values.image "tag" .root.Values.release.id) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [{{ .root.Values.image.python }}, -I, /etc/slipway/settings/application.py, {{ .does }}]
  {{- include "hook.around" . | nindent 2 }}
{{- end -}}

{{/* What both have; the list of mounts comes last, so that more can follow. */}}
{{- define "hook.around" -}}
env:
  - name: SLIPWAY_NAMESPACE
    valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
  {{- include "slot.environment" .root | nindent 2 }}
securityContext:
  {{- include "slot.containerSecurity" .root | nindent 2 }}
resources:
  {{- toYaml .root.Values.hooks.resources | nindent 2 }}
volumeMounts:
  {{- include "slot.mounts" .root | nindent 2 }}
  - {name: work, mountPath: /run/slipway}
{{- end -}}
