-- One row a topic, day of week (1 = Monday) and hour of day (UTC). posts is the mean per hour
-- observed. 1970-01-05 was a Monday.
SELECT
  topic,
  MOD(DATE_DIFF(DATE(hour), DATE '1970-01-05', DAY), 7) + 1 AS day_of_week,
  EXTRACT(HOUR FROM hour) AS hour_of_day,
  AVG(posts) AS posts,
  SUM(mean_toxicity * (posts - posts_unscored))
    / NULLIF(SUM(IF(mean_toxicity IS NULL, 0, posts - posts_unscored)), 0) AS mean_toxicity,
  SUM(toxic_share * (posts - posts_unscored))
    / NULLIF(SUM(IF(toxic_share IS NULL, 0, posts - posts_unscored)), 0) AS toxic_share
FROM `{dataset}.hourly_dashboard`
GROUP BY topic, day_of_week, hour_of_day
