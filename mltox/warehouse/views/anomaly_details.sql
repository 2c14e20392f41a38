-- Anomalous hours with their explanations, in their last state: one row an hour and metric, with what
-- was said at the time before what was said in retrospect.
SELECT
  topic, hour, metric, observed, expected, lower, upper, score, severity, direction, detector,
  status, terms, example_post_ids, explained_share, updated_at
FROM `{dataset}.latest_anomalies`
WHERE status != 'withdrawn'
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY topic, hour, metric
    ORDER BY IF(detector LIKE 'retrospective%', 1, 0), detector
  ) = 1
