-- Anomalous hours as a report shows them: one row an hour and metric, lists as text, the distance
-- from the range's nearer end as a number to sort by.
SELECT
  topic,
  hour,
  DATE(hour) AS day,
  metric,
  direction,
  status,
  severity,
  score,
  observed,
  expected,
  lower,
  upper,
  IF(observed > upper, observed - upper, lower - observed) AS beyond,
  ARRAY_TO_STRING(terms, ', ') AS terms_text,
  ARRAY_LENGTH(example_post_ids) AS examples,
  explained_share,
  detector,
  updated_at
FROM `{dataset}.anomaly_details`
