{{- define "versitygw.jobFiles" -}}
accounts.py: |
  {{- .Files.Get "files/accounts.py" | trim | nindent 2 }}
declared.json: |
  {{ dict "owner" .Values.owner.secret "accounts" (include "versitygw.secrets" . | fromJsonArray) "buckets" .Values.buckets | toJson }}
{{- end }}

{{/* Names of the Secrets of all accounts but root, as JSON. */}}
{{- define "versitygw.secrets" -}}
{{- $found := list -}}
{{- range .Values.accounts }}{{ $found = append $found .secret }}{{ end -}}
{{ toJson $found }}
{{- end }}

{{- define "versitygw.jobConfigName" -}}
{{ include "base.configName" (dict "root" . "role" "accounts" "data" (include "versitygw.jobFiles" .)) }}
{{- end }}

{{/* The Pod of the Job; apart, because its hash names the Job. */}}
{{- define "versitygw.jobPod" -}}
metadata:
  labels:
    {{- include "base.podLabels" (dict "root" . "role" "accounts") | nindent 4 }}
spec:
  restartPolicy: OnFailure
  {{- include "base.pod" (dict "root" .) | nindent 2 }}
  containers:
    - name: accounts
      {{- include "base.container" (dict "root" . "image" "accounts") | nindent 6 }}
      command: [python3, /etc/versitygw/accounts.py]
      env:
        - {name: GATEWAY, value: "http://{{ .Chart.Name }}.{{ .Release.Namespace }}.svc:7070"}
        - {name: REGION, value: "{{ .Values.region }}"}
        - {name: HOME, value: /tmp}
        - {name: PYTHONDONTWRITEBYTECODE, value: "1"}
        - {name: AWS_EC2_METADATA_DISABLED, value: "true"}
      resources:
        {{- toYaml .Values.job.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/versitygw, readOnly: true}
        - {name: root, mountPath: /run/secrets/root, readOnly: true}
        {{- with .Values.owner.secret }}
        - {name: owner, mountPath: "/run/secrets/{{ . }}", readOnly: true}
        {{- end }}
        {{- range $number, $account := .Values.accounts }}
        - {name: "account-{{ $number }}", mountPath: "/run/secrets/{{ .secret }}", readOnly: true}
        {{- end }}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: config
      configMap:
        name: {{ include "versitygw.jobConfigName" . }}
    - name: root
      secret:
        secretName: {{ .Values.auth.secret }}
        defaultMode: 0440
    {{- with .Values.owner.secret }}
    {{- include "base.secretVolume" (dict "name" "owner" "secret" .) | nindent 4 }}
    {{- end }}
    {{- include "base.secretVolumes" (dict "name" "account" "secrets" .Values.accounts "indent" 4) }}
    - name: tmp
      emptyDir: {sizeLimit: 16Mi}
{{- end }}
