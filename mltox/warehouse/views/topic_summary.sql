-- One row a topic over all its hours.
WITH totals AS (
  SELECT
    topic,
    CAST(SUM(posts) AS INT64) AS posts,
    CAST(SUM(posts_unscored) AS INT64) AS posts_unscored,
    SUM(mean_toxicity * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_toxicity IS NULL, 0, posts - posts_unscored)), 0) AS mean_toxicity,
    SUM(toxic_share * (posts - posts_unscored))
      / NULLIF(SUM(IF(toxic_share IS NULL, 0, posts - posts_unscored)), 0) AS toxic_share,
    MIN(hour) AS first_hour,
    MAX(hour) AS last_hour
  FROM `{dataset}.hourly_dashboard`
  GROUP BY topic
),
people AS (
  SELECT topic, COUNT(DISTINCT author_key) AS authors
  FROM `{dataset}.scored_posts`
  GROUP BY topic
),
flags AS (
  SELECT topic, COUNT(*) AS anomalies
  FROM `{dataset}.anomaly_details`
  GROUP BY topic
)
SELECT
  totals.topic,
  totals.posts,
  totals.posts_unscored,
  COALESCE(people.authors, 0) AS authors,
  totals.mean_toxicity,
  totals.toxic_share,
  totals.first_hour,
  totals.last_hour,
  COALESCE(flags.anomalies, 0) AS anomalies
FROM totals
LEFT JOIN people ON people.topic = totals.topic
LEFT JOIN flags ON flags.topic = totals.topic
