{{/* Name of the Service that the API server calls; the certificate is for it. */}}
{{- define "kserve.webhookService" -}}
kserve-webhook-server-service
{{- end }}

{{/* Metadata of an object without a namespace. */}}
{{- define "kserve.clusterMetadata" -}}
{{ include "base.clusterMetadata" (merge (dict "role" "controller") .) }}
{{- end }}

{{/* Requests and limits as the ConfigMap spells them. */}}
{{- define "kserve.amounts" -}}
{{- dict
    "cpuRequest" .requests.cpu "memoryRequest" .requests.memory
    "cpuLimit" .limits.cpu "memoryLimit" .limits.memory | toJson -}}
{{- end }}

{{/*
Keys of the ConfigMap `inferenceservice-config`: each holds JSON. The controller refuses to mutate a
Pod where the amounts of the agent and the logger are missing, even if it uses neither.
*/}}
{{- define "kserve.config" -}}
{{- $small := dict "cpuRequest" "50m" "cpuLimit" "500m" "memoryRequest" "64Mi" "memoryLimit" "256Mi" -}}
{{- $agent := ternary (dict "image" .Values.images.agent) dict .Values.features.agent -}}
{{- $router := ternary (dict "image" .Values.images.router) dict .Values.features.graphs -}}
{{- $copying := include "kserve.amounts" .Values.storage.resources | fromJson -}}
{{- $unused := dict "cpuModelcar" "10m" "memoryModelcar" "16Mi" "enableModelcar" false -}}
{{- /* The controller copies it to where a model is fetched; its key must be `cabundle.crt`. */ -}}
{{- $ca := .Values.trustedCa.configMap -}}
{{- $trusted := ternary (dict "caBundleConfigMapName" $ca) dict (ne $ca "") -}}
{{- $rollout := dict "maxSurge" "25%" "maxUnavailable" "0%" -}}
{{- $service := "{{ .Name }}-predictor.{{ .Namespace }}.{{ .IngressDomain }}" -}}
{{- $config := dict
    "deploy" (dict
      "defaultDeploymentMode" "Standard"
      "deploymentRolloutStrategy" (dict "defaultRollout" $rollout))
    "ingress" (dict
      "enableGatewayApi" false
      "disableIngressCreation" true
      "disableIstioVirtualHost" true
      "ingressGateway" "none/none"
      "ingressDomain" "svc.cluster.local"
      "domainTemplate" $service
      "urlScheme" "http")
    "storageInitializer" (merge (dict "image" .Values.images.storageInitializer) $copying $unused $trusted)
    "agent" (merge $agent $small)
    "logger" (merge (dict "defaultUrl" "http://localhost") $agent $small)
    "batcher" (merge dict $agent $small (dict "maxBatchSize" "32" "maxLatency" "5000"))
    "router" (merge $router $small)
    "credentials" (dict
      "storageSpecSecretName" "storage-config"
      "s3" (dict
        "s3AccessKeyIDName" "AWS_ACCESS_KEY_ID"
        "s3SecretAccessKeyName" "AWS_SECRET_ACCESS_KEY"))
    "localModel" (dict "enabled" false)
    "security" (dict "autoMountServiceAccountToken" false)
    "metricsAggregator" (dict "enableMetricAggregation" "false" "enablePrometheusScraping" "false") -}}
{{- range $key := keys $config | sortAlpha }}
{{ $key }}: {{ get $config $key | toJson | quote }}
{{- end }}
{{- end }}

{{/* What makes a model server pass Pod Security `restricted`; KServe copies it into Pods. */}}
{{- define "kserve.security" -}}
runAsNonRoot: true
runAsUser: {{ int64 .user }}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ .readOnly }}
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The probes of a server: 5 minutes to load a model, then `.path` on its HTTP port. */}}
{{- define "kserve.probes" -}}
startupProbe:
  httpGet: {path: {{ .ready | quote }}, port: 8080}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 150
readinessProbe:
  httpGet: {path: {{ .ready | quote }}, port: 8080}
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  httpGet: {path: {{ .live | quote }}, port: 8080}
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{/* What Prometheus reads of a model's Pod. */}}
{{- define "kserve.scraped" -}}
prometheus.io/scrape: "true"
prometheus.io/port: {{ .port | quote }}
prometheus.io/path: {{ .path | default "/metrics" }}
{{- end }}
