{{/* What Pods and containers have in common. */}}

{{/*
The part of a Pod that makes it pass Pod Security `restricted`. OnRootMismatch: the kubelet would
otherwise widen the modes of every file on each start, which PostgreSQL refuses and big volumes pay
for in minutes. `.account` is its ServiceAccount, the chart's own where absent; `.token` gives it that
account's token, for Pods that talk to the Kubernetes API; `.runAs` is another user than the chart's.
*/}}
{{- define "base.pod" -}}
{{- $runAs := .runAs | default .root.Values.runAs -}}
serviceAccountName: {{ .account | default .root.Chart.Name }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 $runAs.user }}
  runAsGroup: {{ int64 $runAs.group }}
  fsGroup: {{ int64 $runAs.group }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* Image and security of a container; `.image` is a key of the chart's `images:`. */}}
{{- define "base.container" -}}
image: {{ index .root.Values.images .image }}
imagePullPolicy: {{ .root.Values.imagePullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/*
Variables of a site's forward proxy. Both spellings: curl reads http_proxy in lower case only, Java
and Go programs the other.
*/}}
{{- define "base.proxyEnv" -}}
{{- $proxy := .Values.proxy -}}
{{- $keys := dict "HTTP_PROXY" $proxy.http "HTTPS_PROXY" $proxy.https "NO_PROXY" $proxy.noProxy -}}
{{- range $name, $value := $keys }}
{{- if $value }}
- {name: {{ $name }}, value: "{{ $value }}"}
- {name: {{ lower $name }}, value: "{{ $value }}"}
{{- end }}
{{- end }}
{{- end }}

{{/* The site's certificates as a volume and its mount; nothing where none are named. */}}
{{- define "base.caVolume" -}}
{{- with .Values.trustedCa.configMap }}
- name: trusted-ca
  configMap:
    name: {{ . }}
    items:
      - {key: "{{ $.Values.trustedCa.key }}", path: ca.crt}
{{- end }}
{{- end }}

{{- define "base.caMount" -}}
{{- if .Values.trustedCa.configMap }}
- {name: trusted-ca, mountPath: /etc/trusted-ca, readOnly: true}
{{- end }}
{{- end }}

{{/*
Where PostgreSQL is and how to sign in, as libpq's own variables, so that no URI holds a password.
`.application` is what the server shows for the connection.
*/}}
{{- define "base.postgresqlEnv" -}}
{{- with .root.Values.database -}}
- {name: PGHOST, value: "{{ .host }}"}
- {name: PGPORT, value: "{{ .port }}"}
{{- with .sslMode }}
- {name: PGSSLMODE, value: "{{ . }}"}
{{- end }}
- {name: PGAPPNAME, value: {{ $.application }}}
- {name: PGCONNECT_TIMEOUT, value: "10"}
{{- $secret := .secret }}
{{- range $variable, $key := dict "PGUSER" "username" "PGPASSWORD" "password" "PGDATABASE" "database" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: "{{ $secret }}", key: {{ $key }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "base.oneThreadEnv" -}}
# Numeric libraries would make a thread, and its memory, for every core of the node.
- {name: OMP_NUM_THREADS, value: "1"}
- {name: OPENBLAS_NUM_THREADS, value: "1"}
{{- end }}

{{/*
Volumes of Secrets, `.name`-0 and so on; `.secrets` is a list of {secret}. `.indent` is the number of
spaces before each, so that an empty list gives no line.
*/}}
{{- define "base.secretVolumes" -}}
{{- range $number, $each := .secrets }}
{{- include "base.secretVolume" (dict "name" (printf "%s-%d" $.name $number) "secret" .secret) | nindent $.indent }}
{{- end }}
{{- end }}

{{- define "base.secretVolume" -}}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
{{- end }}
