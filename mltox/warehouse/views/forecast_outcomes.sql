-- What was said and what came: every hour forecast by any past run, once it has come. A mean or a
-- share of an hour without posts is nothing that came, and has no row; no posts are 0 posts.
WITH said AS (
  SELECT
    topic, metric, run_at, hour, expected,
    lower_80, upper_80, lower_95, upper_95, method, p_anomaly
  FROM `{dataset}.forecasts`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY topic, metric, run_at, hour ORDER BY method, expected
  ) = 1
),
known AS (
  SELECT MAX(hour) AS last_hour FROM `{dataset}.hourly_dashboard`
),
came AS (
  SELECT
    said.topic, said.metric, said.run_at, said.hour, said.expected,
    said.lower_80, said.upper_80, said.lower_95, said.upper_95, said.method, said.p_anomaly,
    CASE said.metric
      WHEN 'posts' THEN CAST(COALESCE(hours.posts, 0) AS FLOAT64)
      WHEN 'mean_toxicity' THEN hours.mean_toxicity
      ELSE hours.toxic_share
    END AS observed
  FROM said
  CROSS JOIN known
  LEFT JOIN `{dataset}.hourly_dashboard` AS hours
    ON hours.topic = said.topic AND hours.hour = said.hour
  WHERE said.hour <= known.last_hour
)
SELECT
  came.topic,
  came.metric,
  came.run_at,
  came.hour,
  TIMESTAMP_DIFF(came.hour, came.run_at, HOUR) + 1 AS hours_ahead,
  came.method,
  came.expected,
  came.lower_80,
  came.upper_80,
  came.lower_95,
  came.upper_95,
  came.p_anomaly,
  came.observed,
  ABS(came.observed - came.expected) AS absolute_error,
  came.observed BETWEEN came.lower_80 AND came.upper_80 AS inside_80,
  came.observed BETWEEN came.lower_95 AND came.upper_95 AS inside_95,
  flags.hour IS NOT NULL AS flagged
FROM came
LEFT JOIN `{dataset}.latest_anomalies` AS flags
  ON flags.topic = came.topic AND flags.metric = came.metric AND flags.hour = came.hour
WHERE came.observed IS NOT NULL
