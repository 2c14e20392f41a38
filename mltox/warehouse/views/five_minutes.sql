-- One row a topic and five minutes that have posts: the steps of a chart of a few hours. Verdicts are
-- of hours.
SELECT
  topic,
  TIMESTAMP_SECONDS(
    UNIX_SECONDS(TIMESTAMP_TRUNC(created_at, MINUTE))
    - MOD(UNIX_SECONDS(TIMESTAMP_TRUNC(created_at, MINUTE)), 300)
  ) AS step,
  COUNT(*) AS posts,
  CAST(COUNTIF(toxicity IS NULL) AS INT64) AS posts_unscored,
  AVG(toxicity) AS mean_toxicity,
  SUM(IF(is_toxic, 1, 0)) / NULLIF(COUNTIF(toxicity IS NOT NULL), 0) AS toxic_share
FROM `{dataset}.posts_by_hour`
GROUP BY topic, step
