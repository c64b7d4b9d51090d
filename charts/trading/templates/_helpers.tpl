{{/* Name of the set: <application>-<slot>, or <application> where there are no slots. */}}
{{- define "slot.name" -}}
{{- if eq .Values.strategy "blueGreen" -}}
{{ .Values.application }}-{{ .Values.slot }}
{{- else -}}
{{ .Values.application }}
{{- end -}}
{{- end -}}

{{/* What never changes about a process; a Deployment's selector is immutable. */}}
{{- define "slot.selector" -}}
app.kubernetes.io/name: {{ .root.Values.application }}
app.kubernetes.io/component: {{ .component }}
{{- if eq .root.Values.strategy "blueGreen" }}
slipway.dev/slot: {{ .root.Values.slot }}
{{- end }}
{{- end -}}

{{- define "slot.labels" -}}
{{ include "slot.selector" . }}
app.kubernetes.io/part-of: {{ .root.Values.application }}
slipway.dev/environment: {{ .root.Values.environment }}
slipway.dev/release: {{ .root.Values.release.id | quote }}
{{- with .root.Values.release.version }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* repository:tag@digest; the tag is the release's id where none is given. */}}
{{- define "slot.image" -}}
{{- $image := .image -}}
{{ $image.repository }}:{{ $image.tag | default .tag }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{/* The application's settings as JSON, which is YAML that keeps large numbers as they are. */}}
{{- define "slot.settings" -}}
{{ dict "trading" .Values.trading | toPrettyJson }}
{{- end -}}

{{- define "slot.settings.digest" -}}
{{ print (include "slot.settings" .) (.Files.Get "files/wait.py") (.Files.Get "files/again.py") | sha256sum | trunc 10 }}
{{- end -}}

{{- define "slot.settings.name" -}}
{{ include "slot.name" . }}-settings-{{ include "slot.settings.digest" . }}
{{- end -}}

{{/* The restricted Pod Security standard, of a pod and of each container. */}}
{{- define "slot.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.user }}
runAsGroup: {{ .Values.user }}
fsGroup: {{ .Values.user }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "slot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "slot.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What the application contract gives to every process and command. */}}
{{- define "slot.environment" -}}
- name: SLIPWAY_ENVIRONMENT
  value: {{ .Values.environment }}
- name: SLIPWAY_SLOT
  value: {{ .Values.slot }}
- name: SLIPWAY_RELEASE
  value: {{ .Values.release.id | quote }}
- name: SLIPWAY_DATABASE_URL_FILE
  value: /etc/slipway/secrets/database-url
- name: SLIPWAY_TOKEN_FILE
  value: /etc/slipway/secrets/token
- name: SLIPWAY_VALUES
  value: /etc/slipway/settings/values.yaml
{{- with .Values.venue.url }}
- name: SLIPWAY_VENUE_URL
  value: {{ . | quote }}
{{- end }}
- name: SLIPWAY_SOURCE_COMMIT
  value: {{ .Values.release.commit | quote }}
- name: SLIPWAY_SOURCE_AUTHOR
  value: {{ .Values.release.author | quote }}
{{- end -}}

{{/* Volumes that every pod has; the name of the config map is given. */}}
{{- define "slot.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
- name: settings
  configMap:
    name: {{ .settings }}
- name: secrets
  projected:
    defaultMode: 256 # 0400; the pod's group may read as well
    sources:
      - secret:
          name: {{ .root.Values.database.secret }}
          items:
            - {key: {{ .root.Values.database.secretKey }}, path: database-url}
      - secret:
          name: {{ .root.Values.token.secret }}
          items:
            - {key: {{ .root.Values.token.secretKey }}, path: token}
{{- end -}}

{{- define "slot.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: settings, mountPath: /etc/slipway/settings, readOnly: true}
- {name: secrets, mountPath: /etc/slipway/secrets, readOnly: true}
{{- end -}}

{{/* Waits for database and venue; the application's image has Python. */}}
{{- define "slot.wait" -}}
- name: wait
  image: {{ include "slot.image" (dict "image" .Values.image "tag" .Values.release.id) }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - {{ .Values.image.python }}
    - -I
    - /etc/slipway/settings/wait.py
  env:
    - name: SLIPWAY_DATABASE_URL_FILE
      value: /etc/slipway/secrets/database-url
    - name: WAIT_SECONDS
      value: {{ .Values.timing.waitSeconds | quote }}
    {{- with .Values.venue.url }}
    - name: SLIPWAY_VENUE_URL
      value: {{ . | quote }}
    {{- end }}
  securityContext:
    {{- include "slot.containerSecurity" . | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 32Mi}
    limits: {cpu: 500m, memory: 128Mi}
  volumeMounts:
    - {name: settings, mountPath: /etc/slipway/settings, readOnly: true}
    - {name: secrets, mountPath: /etc/slipway/secrets, readOnly: true}
{{- end -}}
