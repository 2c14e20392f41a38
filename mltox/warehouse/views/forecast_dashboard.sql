-- The coming hours of each topic and metric.
SELECT
  topic, metric, hour, expected, lower_80, upper_80, lower_95, upper_95, method, p_anomaly, run_at
FROM `{dataset}.latest_forecasts`
