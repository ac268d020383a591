{{/*
Configuration of the controller, key by key. Every container of a workflow's Pod must pass Pod
Security `restricted`: the executor's by `executor`, the step's by `mainContainer`, the Pod by the
defaults of its Workflow.
*/}}
{{- define "argo.settings" -}}
{{- with .Values.parallelism.workflows }}
parallelism: {{ int . | quote }}
{{- end }}
{{- with .Values.parallelism.perNamespace }}
namespaceParallelism: {{ int . | quote }}
{{- end }}
# A step that starts is no news for the event log of a namespace; a workflow that fails is.
nodeEvents: |
  enabled: false
metricsConfig: |
  enabled: {{ .Values.metrics.enabled }}
  path: /metrics
  port: 9090
  secure: false
executor: |
  imagePullPolicy: {{ .Values.imagePullPolicy }}
  resources:
    {{- toYaml .Values.executor.resources | nindent 4 }}
  {{- with include "base.proxyEnv" . | trim }}
  env:
    {{- . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    {{- include "argo.locked" . | nindent 4 }}
    readOnlyRootFilesystem: true
mainContainer: |
  securityContext:
    {{- include "argo.locked" . | nindent 4 }}
workflowDefaults: |
  spec:
    {{- with .Values.workflow }}
    serviceAccountName: {{ .serviceAccount }}
    artifactRepositoryRef:
      configMap: {{ .artifactRepositories }}
    archiveLogs: true
    activeDeadlineSeconds: {{ int .deadlineSeconds }}
    ttlStrategy:
      secondsAfterSuccess: {{ int .keepSeconds.succeeded }}
      secondsAfterFailure: {{ int .keepSeconds.failed }}
    podGC:
      strategy: OnPodSuccess
      deleteDelayDuration: {{ int .keepPodsSeconds }}s
    securityContext:
      runAsNonRoot: true
      runAsUser: {{ int64 .runAs.user }}
      runAsGroup: {{ int64 .runAs.group }}
      fsGroup: {{ int64 .runAs.group }}
      fsGroupChangePolicy: OnRootMismatch
      seccompProfile:
        type: RuntimeDefault
    {{- end }}
    {{- with .Values.imagePullSecrets }}
    imagePullSecrets:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}

{{- define "argo.locked" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "argo.configName" -}}
{{ include "base.configName" (dict "root" . "role" "controller" "data" (include "argo.settings" .)) }}
{{- end }}
