-- One row a topic and day (UTC); means weighted by scored posts.
SELECT
  topic,
  DATE(hour) AS day,
  CAST(SUM(posts) AS INT64) AS posts,
  CAST(SUM(posts_unscored) AS INT64) AS posts_unscored,
  SUM(mean_toxicity * (posts - posts_unscored))
    / NULLIF(SUM(IF(mean_toxicity IS NULL, 0, posts - posts_unscored)), 0) AS mean_toxicity,
  SUM(toxic_share * (posts - posts_unscored))
    / NULLIF(SUM(IF(toxic_share IS NULL, 0, posts - posts_unscored)), 0) AS toxic_share
FROM `{dataset}.hourly_dashboard`
GROUP BY topic, DATE(hour)
