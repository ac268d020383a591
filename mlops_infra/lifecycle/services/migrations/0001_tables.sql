-- What the gateway answered, one row for each model version that was asked.
CREATE TABLE prediction (
  prediction_id uuid NOT NULL,
  -- champion and challenger gave the answer; shadow only saw the request.
  role text NOT NULL CHECK (role IN ('champion', 'challenger', 'shadow')),
  tenant text NOT NULL,
  model text NOT NULL,
  version text NOT NULL,
  -- InferenceService or SeldonDeployment that was asked
  server text NOT NULL,
  at timestamptz NOT NULL,
  latency_ms real NOT NULL,
  -- HTTP status; 0 where the server gave none
  status smallint NOT NULL,
  request jsonb,
  response jsonb,
  error text,
  -- share of outputs that differ from the champion's; only for shadow
  disagreement real,
  -- what the client wants to be treated alike, and the id that it gave
  request_key text,
  request_id text,
  PRIMARY KEY (prediction_id, role)
);
CREATE INDEX prediction_model_at ON prediction (tenant, model, at DESC);
CREATE INDEX prediction_at ON prediction USING brin (at);

-- Scores of a table or a bucket's partition, each row once however often the job runs.
CREATE TABLE batch_score (
  job text NOT NULL,
  partition text NOT NULL,
  row_key text NOT NULL,
  tenant text NOT NULL,
  -- name/version in the registry
  model text NOT NULL,
  -- SHA-256 of the partition's content
  data text,
  prediction jsonb NOT NULL,
  scored_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (job, partition, row_key)
);
CREATE INDEX batch_score_tenant_at ON batch_score (tenant, scored_at DESC);

-- Why a pipeline was started; a cause that happened once starts it once.
CREATE TABLE trigger_event (
  tenant text NOT NULL,
  trigger text NOT NULL,
  -- names the occurrence: the schedule's minute, the object's version, the alert's start
  cause_key text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('schedule', 'new-data', 'metric-drop', 'drift', 'on-demand')),
  cause jsonb NOT NULL,
  -- claimed: one controller has it; fired: workflow names what was started; suppressed: by a window
  -- or a cool-down; failed: the start was refused
  state text NOT NULL DEFAULT 'claimed'
    CHECK (state IN ('claimed', 'fired', 'suppressed', 'failed')),
  workflow text,
  detail text,
  claimed_by text,
  at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, trigger, cause_key)
);
CREATE INDEX trigger_event_at ON trigger_event (tenant, trigger, at DESC);

-- What a model version was trained on, as drift is measured against it.
CREATE TABLE reference_data (
  tenant text NOT NULL,
  model text NOT NULL,
  version text NOT NULL,
  -- SHA-256 of the whole training data, of which `rows` may be a sample
  data text NOT NULL,
  -- [{"name": …, "type": …}, …]
  columns jsonb NOT NULL,
  -- [[…], …] in the order of `columns`
  rows jsonb NOT NULL,
  -- where the whole data is, if it is kept
  source text,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, model, version)
);
