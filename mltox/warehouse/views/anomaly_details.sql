-- Anomalous hours with their explanations, in their last state.
SELECT
  topic, hour, metric, observed, expected, lower, upper, score, severity, direction, detector,
  status, terms, example_post_ids, explained_share, updated_at
FROM `{dataset}.latest_anomalies`
