-- One row a topic, metric and hour, past and coming: what was observed, or what the newest forecast
-- expects with its bands. A chart of one metric needs no other source.
WITH observed AS (
  SELECT topic, 'posts' AS metric, hour, CAST(posts AS FLOAT64) AS observed
  FROM `{dataset}.hourly_dashboard`
  UNION ALL
  SELECT topic, 'mean_toxicity' AS metric, hour, mean_toxicity AS observed
  FROM `{dataset}.hourly_dashboard`
  UNION ALL
  SELECT topic, 'toxic_share' AS metric, hour, toxic_share AS observed
  FROM `{dataset}.hourly_dashboard`
)
SELECT
  COALESCE(observed.topic, coming.topic) AS topic,
  COALESCE(observed.metric, coming.metric) AS metric,
  COALESCE(observed.hour, coming.hour) AS hour,
  observed.observed,
  coming.expected,
  coming.lower_80,
  coming.upper_80,
  coming.lower_95,
  coming.upper_95,
  coming.p_anomaly,
  flags.severity
FROM observed
FULL OUTER JOIN `{dataset}.forecast_dashboard` AS coming
  ON coming.topic = observed.topic
  AND coming.metric = observed.metric
  AND coming.hour = observed.hour
LEFT JOIN `{dataset}.anomaly_details` AS flags
  ON flags.topic = observed.topic
  AND flags.metric = observed.metric
  AND flags.hour = observed.hour
