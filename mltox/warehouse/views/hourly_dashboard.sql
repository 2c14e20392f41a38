-- One row a topic and hour: models merged (means weighted by scored posts), anomalies beside.
-- Where an hour has two models, authors adds up both (an author of either counts twice) and
-- p90_toxicity is the weighted mean of both.
WITH hours AS (
  SELECT
    topic,
    hour,
    CAST(SUM(posts) AS INT64) AS posts,
    CAST(SUM(posts_unscored) AS INT64) AS posts_unscored,
    CAST(SUM(authors) AS INT64) AS authors,
    SUM(mean_toxicity * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_toxicity IS NULL, 0, posts - posts_unscored)), 0) AS mean_toxicity,
    SUM(toxic_share * (posts - posts_unscored))
      / NULLIF(SUM(IF(toxic_share IS NULL, 0, posts - posts_unscored)), 0) AS toxic_share,
    SUM(p90_toxicity * (posts - posts_unscored))
      / NULLIF(SUM(IF(p90_toxicity IS NULL, 0, posts - posts_unscored)), 0) AS p90_toxicity
  FROM `{dataset}.latest_hourly_toxicity`
  GROUP BY topic, hour
),
flags AS (
  SELECT
    topic,
    hour,
    MAX(IF(metric = 'posts', severity, NULL)) AS anomaly_posts,
    MAX(IF(metric = 'mean_toxicity', severity, NULL)) AS anomaly_mean_toxicity,
    MAX(IF(metric = 'toxic_share', severity, NULL)) AS anomaly_toxic_share
  FROM `{dataset}.anomaly_details`
  GROUP BY topic, hour
)
SELECT
  hours.topic,
  hours.hour,
  hours.posts,
  hours.posts_unscored,
  hours.authors,
  hours.mean_toxicity,
  hours.toxic_share,
  hours.p90_toxicity,
  flags.anomaly_posts,
  flags.anomaly_mean_toxicity,
  flags.anomaly_toxic_share
FROM hours
LEFT JOIN flags ON flags.topic = hours.topic AND flags.hour = hours.hour
