-- Each past run of a topic and metric with what became of it. Bands have failed where the runs of
-- the last three weeks, over a week of hours or more, held less than 65 % in their 80 % bands.
WITH runs AS (
  SELECT
    topic,
    metric,
    run_at,
    MIN(method) AS method,
    COUNT(*) AS hours,
    AVG(absolute_error) AS mean_absolute_error,
    AVG(IF(inside_80, 1.0, 0.0)) AS coverage_80,
    AVG(IF(inside_95, 1.0, 0.0)) AS coverage_95
  FROM `{dataset}.forecast_outcomes`
  GROUP BY topic, metric, run_at
),
recent AS (
  SELECT
    later.topic,
    later.metric,
    later.run_at,
    SUM(earlier.hours) AS hours,
    SUM(earlier.coverage_80 * earlier.hours) / SUM(earlier.hours) AS coverage_80
  FROM runs AS later
  INNER JOIN runs AS earlier
    ON earlier.topic = later.topic
    AND earlier.metric = later.metric
    AND earlier.run_at <= later.run_at
    AND TIMESTAMP_DIFF(later.run_at, earlier.run_at, HOUR) < 504
  GROUP BY later.topic, later.metric, later.run_at
)
SELECT
  runs.topic,
  runs.metric,
  runs.run_at,
  runs.method,
  runs.hours,
  runs.mean_absolute_error,
  runs.coverage_80,
  runs.coverage_95,
  recent.hours >= 168 AND recent.coverage_80 < 0.65 AS bands_failed
FROM runs
INNER JOIN recent
  ON recent.topic = runs.topic
  AND recent.metric = runs.metric
  AND recent.run_at = runs.run_at
