-- The newest forecast of each topic and metric.
SELECT
  topic, metric, run_at, hour, expected,
  lower_80, upper_80, lower_95, upper_95, method, p_anomaly
FROM `{dataset}.forecasts`
WHERE TRUE
QUALIFY
  run_at = MAX(run_at) OVER (PARTITION BY topic, metric)
  AND ROW_NUMBER() OVER (PARTITION BY topic, metric, run_at, hour ORDER BY method, expected) = 1
