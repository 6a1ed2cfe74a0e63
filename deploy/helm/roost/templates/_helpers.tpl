{{- define "roost.labels" -}}
app.kubernetes.io/name: roost
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "roost.selector" -}}
app.kubernetes.io/name: roost
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* Bytes of the streams. Left to NATS it is three quarters of what is free at each start, where the streams have taken
       their part of it already. */}}
{{- define "roost.fileStore" -}}
{{- $storage := .Values.nats.storage }}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- $unit := regexFind "[A-Za-z]*$" $storage }}
{{- .Values.nats.fileStore | default (mulf (trimSuffix $unit $storage | float64) (get $factors $unit) 0.9 | int64) }}
{{- end }}

{{- define "roost.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "roost.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "roost.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "roost.busPeer" -}}
{{- if .Values.nats.bundled -}}
{{ dict "podSelector" (dict "matchLabels" (dict "app.kubernetes.io/name" "roost" "app.kubernetes.io/instance" .Release.Name "app.kubernetes.io/component" "nats")) | toJson }}
{{- else -}}
{{ required "nats.peer must say whom workspaces may reach for an external bus" (.Values.nats.peer | default nil) | toJson }}
{{- end -}}
{{- end }}

{{- define "roost.workspaces" -}}
{"namespace":{{ .Release.Namespace | toJson }},"instance":{{ .Values.workspaces.instance | toJson }},"image":{{ .Values.workspaces.image | toJson }},"imagePullPolicy":{{ .Values.workspaces.imagePullPolicy | toJson }},"imagePullSecrets":{{ .Values.workspaces.imagePullSecrets | toJson }},
{{- with .Values.workspaces.storageClass }}"storageClass":{{ . | toJson }},{{ end }}
{{- with .Values.workspaces.runtimeClassName }}"runtimeClassName":{{ . | toJson }},{{ end -}}
"nodeSelector":{{ .Values.workspaces.nodeSelector | toJson }},"tolerations":{{ .Values.workspaces.tolerations | toJson }},"startTimeoutMs":{{ .Values.workspaces.startTimeoutMs }},"bus":{"host":{{ .Values.nats.host | toJson }},"port":{{ .Values.nats.port }},"peer":{{ include "roost.busPeer" . }}},"egress":{"host":"roost-egress","port":3128,"peer":{"podSelector":{"matchLabels":{"app.kubernetes.io/name":"roost","app.kubernetes.io/instance":{{ .Release.Name | toJson }},"app.kubernetes.io/component":"agent-lifecycle"}}}}}
{{- end }}
