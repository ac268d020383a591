-- The model that an event is about, and whether it still waits for a window or the cool-down to end.
ALTER TABLE trigger_event
  ADD COLUMN model text NOT NULL DEFAULT '',
  ADD COLUMN waiting boolean NOT NULL DEFAULT false,
  -- what became of the workflow; null while nobody knows
  ADD COLUMN outcome text CHECK (outcome IN ('running', 'succeeded', 'failed', 'lost')),
  ADD COLUMN fired_at timestamptz,
  ADD COLUMN finished_at timestamptz;
CREATE INDEX trigger_event_open ON trigger_event (tenant, model)
  WHERE waiting OR state = 'claimed' OR outcome = 'running';

-- How far a trigger has looked: the last slot of a schedule, what a bucket held.
CREATE TABLE trigger_state (
  tenant text NOT NULL,
  trigger text NOT NULL,
  watermark jsonb NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, trigger)
);

-- One partition of a batch job, scored by one version of the model from its first row to its last.
CREATE TABLE batch_run (
  tenant text NOT NULL,
  job text NOT NULL,
  partition text NOT NULL,
  model text NOT NULL,
  -- SHA-256 of the rows: another content under the same name is told, not mixed in
  data text NOT NULL,
  -- raised by `--again`; scores of an older one are deleted when the newer is complete
  generation int NOT NULL DEFAULT 1,
  total_rows bigint NOT NULL,
  done_rows bigint NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
  started_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, job, partition)
);
ALTER TABLE batch_score
  ADD COLUMN generation int NOT NULL DEFAULT 1,
  DROP CONSTRAINT batch_score_pkey,
  ADD PRIMARY KEY (tenant, job, partition, row_key);

-- What each run of the drift job found.
CREATE TABLE drift_result (
  id uuid PRIMARY KEY,
  tenant text NOT NULL,
  model text NOT NULL,
  version text NOT NULL,
  at timestamptz NOT NULL,
  since timestamptz NOT NULL,
  rows int NOT NULL,
  drifted boolean NOT NULL,
  -- of the columns, 0 to 1
  share real NOT NULL,
  -- [{"name": …, "score": …, "threshold": …, "drifted": …}, …]
  columns jsonb NOT NULL,
  -- rules of the schema that the requests broke
  findings jsonb NOT NULL,
  -- objects with the whole report
  json_object text,
  html_object text
);
CREATE INDEX drift_result_model_at ON drift_result (tenant, model, at DESC);
