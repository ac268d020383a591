{{/* What people of the tenant may do; never with Secrets, accounts, roles, quotas or policies. */}}
{{- define "tenant.memberRules" -}}
- apiGroups: [argoproj.io]
  resources: [workflows, workflowtemplates, cronworkflows]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [argoproj.io]
  resources: [workflowtaskresults, workflowtasksets, workflowartifactgctasks]
  verbs: [get, list, watch]
- apiGroups: [serving.kserve.io]
  resources: [inferenceservices, inferencegraphs, trainedmodels, servingruntimes]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [kubeflow.org]
  resources: [notebooks, experiments, trials, suggestions, scheduledworkflows]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [trainer.kubeflow.org]
  resources: [trainjobs, trainingruntimes]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [""]
  resources: [configmaps, persistentvolumeclaims]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
- apiGroups: ["", apps, autoscaling]
  resources:
    - pods/log
    - events
    - services
    - deployments
    - statefulsets
    - replicasets
    - horizontalpodautoscalers
    - resourcequotas
    - limitranges
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/portforward]
  verbs: [create]
{{- if .Values.pipelines.enabled }}
{{ include "tenant.pipelinesTokenRules" . }}
{{- end }}
{{- end }}

{{/* What the one who answers for the tenant may do besides. */}}
{{- define "tenant.ownerRules" -}}
{{ include "tenant.memberRules" . }}
- apiGroups: [""]
  resources: [pods/exec]
  verbs: [create]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch]
{{- end }}

{{/* Rules of the ServiceAccounts; a workflow's Pods report their results through the API. */}}
{{- define "tenant.pipelineRules" -}}
- apiGroups: [argoproj.io]
  resources: [workflowtaskresults]
  verbs: [create, patch]
- apiGroups: [argoproj.io]
  resources: [workflows]
  verbs: [get, list, watch, create]
- apiGroups: [serving.kserve.io]
  resources: [inferenceservices]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [""]
  resources: [pods, pods/log, events]
  verbs: [get, list, watch]
{{- end }}

{{- define "tenant.notebookRules" -}}
- apiGroups: [argoproj.io]
  resources: [workflows]
  verbs: [get, list, watch, create, delete]
- apiGroups: [kubeflow.org]
  resources: [experiments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [kubeflow.org]
  resources: [trials, suggestions]
  verbs: [get, list, watch]
- apiGroups: [trainer.kubeflow.org]
  resources: [trainjobs]
  verbs: [get, list, watch, create, patch, delete]
# A pipeline's own code travels in one, and `platform` tells the image of the steps.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create]
- apiGroups: [serving.kserve.io]
  resources: [inferenceservices]
  verbs: [get, list, watch]
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods, pods/log, events]
  verbs: [get, list, watch]
{{- end }}

{{/* What the tenant may ask the API server of Kubeflow Pipelines for; no resources of Kubernetes. */}}
{{- define "tenant.pipelinesClientRules" -}}
- apiGroups: [pipelines.kubeflow.org]
  resources: [pipelines, pipelineversions, experiments]
  verbs: [get, list, create]
- apiGroups: [pipelines.kubeflow.org]
  resources: [runs]
  verbs: [get, list, create, terminate, retry, readArtifact]
- apiGroups: [pipelines.kubeflow.org]
  resources: [jobs]
  verbs: [get, list, create, delete, enable, disable]
{{- end }}

{{/* Tokens for that server. */}}
{{- define "tenant.pipelinesTokenRules" -}}
- apiGroups: [""]
  resources: [serviceaccounts/token]
  resourceNames: [pipelines-client]
  verbs: [create]
{{- end }}

{{/* What its driver and launcher read, in the Pods of runs. */}}
{{- define "tenant.launcherRules" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ .Values.artifacts.secret }}]
  verbs: [get]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [create, get, list, delete]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [kfp-launcher]
  verbs: [get]
{{- end }}
