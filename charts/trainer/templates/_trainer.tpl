{{- define "trainer.managerFiles" -}}
controller_manager_config.yaml: |
  apiVersion: config.trainer.kubeflow.org/v1alpha1
  kind: Configuration
  health:
    healthProbeBindAddress: :8081
    readinessEndpointName: readyz
    livenessEndpointName: healthz
  metrics: {bindAddress: ":8080", secureServing: false}
  webhook: {port: 9443}
  # all of it: what is left out here counts as zero, with which no election begins
  leaderElection:
    leaderElect: true
    resourceName: trainer.kubeflow.org
    leaseDuration: 15s
    renewDeadline: 10s
    retryPeriod: 2s
  # Certificates come from the platform.
  certManagement: {enable: false}
{{- end }}

{{- define "trainer.jobsetFiles" -}}
controller_manager_config.yaml: |
  apiVersion: config.jobset.x-k8s.io/v1alpha1
  kind: Configuration
  health: {healthProbeBindAddress: ":8081"}
  # It serves them by TLS to authorised accounts alone, which Prometheus here does not ask as.
  metrics: {bindAddress: "0"}
  webhook: {port: 9443}
  leaderElection: {leaderElect: true, resourceName: jobset.x-k8s.io}
  internalCertManagement: {enable: false}
{{- end }}

{{- define "trainer.configName" -}}
{{ include "base.configName" (dict "root" .root "role" .role "data" (include .files .root)) }}
{{- end }}

{{/*
One of both controllers, all but its rights: (dict "root" "role" "name" "image" "files" "secret" …).
*/}}
{{- define "trainer.controller" -}}
{{ include "base.account" . }}
---
{{ include "base.service" (dict "root" .root "role" .role "name" .name "internal" true "webhook" true "ports" (list (dict "name" "webhook" "port" 443))) }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "base.metadata" (dict "root" .root "role" .role "name" (include "trainer.configName" .)) | nindent 2 }}
immutable: true
data:
  {{- include .files .root | nindent 2 }}
---
{{ include "workload.deployment" . }}
      containers:
        - name: manager
          {{- include "base.container" (dict "root" .root "image" .image) | nindent 10 }}
          command: [/manager]
          args: [--config=/etc/manager/controller_manager_config.yaml]
          ports:
            - {name: webhook, containerPort: 9443, protocol: TCP}
            {{- with .port }}
            - {name: metrics, containerPort: {{ . }}, protocol: TCP}
            {{- end }}
            - {name: health, containerPort: 8081, protocol: TCP}
          {{- include "workload.probes" (dict "http" "/readyz" "alive" "/healthz" "port" "health") | nindent 10 }}
          {{- include "workload.resources" . | nindent 10 }}
          volumeMounts:
            - {name: config, mountPath: /etc/manager, readOnly: true}
            - {name: certificate, mountPath: /tmp/k8s-webhook-server/serving-certs, readOnly: true}
      volumes:
        - name: config
          configMap:
            name: {{ include "trainer.configName" . }}
        - name: certificate
          secret:
            secretName: {{ .secret }}
            defaultMode: 0440
{{- include "workload.budget" . }}
{{- end }}

{{- define "trainer.policy" -}}
{{- $ingress := include "workload.fromApiServer" (dict "root" .root "ports" (list 9443)) -}}
{{- with .port -}}
{{- $ingress = printf "%s\n%s" $ingress (include "base.ingress" (dict "root" $.root "port" . "internal" true) | trim) -}}
{{- end -}}
{{ include "workload.policy" (merge (dict
    "ingress" $ingress
    "egress" (list (include "base.dnsEgress" .root | trim) (include "base.apiEgress" .root | trim) | join "\n")) .) }}
{{- end }}
