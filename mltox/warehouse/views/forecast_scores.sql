-- Was it right? Error and coverage of past forecasts by topic, metric, method and day ahead.
SELECT
  topic,
  metric,
  method,
  CAST(FLOOR((hours_ahead - 1) / 24) AS INT64) + 1 AS day_ahead,
  COUNT(*) AS hours,
  AVG(absolute_error) AS mean_absolute_error,
  AVG(observed) AS mean_observed,
  AVG(IF(inside_80, 1.0, 0.0)) AS coverage_80,
  AVG(IF(inside_95, 1.0, 0.0)) AS coverage_95,
  AVG(p_anomaly) AS mean_p_anomaly,
  AVG(IF(flagged, 1.0, 0.0)) AS flagged_share
FROM `{dataset}.forecast_outcomes`
GROUP BY topic, metric, method, day_ahead
