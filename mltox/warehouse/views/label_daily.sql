-- One row a topic, day (UTC) and label: mean score, weighted by scored posts. A label that the
-- model does not have has no row.
WITH days AS (
  SELECT
    topic,
    DATE(hour) AS day,
    SUM(mean_toxicity * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_toxicity IS NULL, 0, posts - posts_unscored)), 0) AS toxicity,
    SUM(mean_severe_toxicity * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_severe_toxicity IS NULL, 0, posts - posts_unscored)), 0)
      AS severe_toxicity,
    SUM(mean_obscene * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_obscene IS NULL, 0, posts - posts_unscored)), 0) AS obscene,
    SUM(mean_threat * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_threat IS NULL, 0, posts - posts_unscored)), 0) AS threat,
    SUM(mean_insult * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_insult IS NULL, 0, posts - posts_unscored)), 0) AS insult,
    SUM(mean_identity_attack * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_identity_attack IS NULL, 0, posts - posts_unscored)), 0)
      AS identity_attack,
    SUM(mean_sexual_explicit * (posts - posts_unscored))
      / NULLIF(SUM(IF(mean_sexual_explicit IS NULL, 0, posts - posts_unscored)), 0)
      AS sexual_explicit
  FROM `{dataset}.latest_hourly_toxicity`
  GROUP BY topic, DATE(hour)
)
SELECT topic, day, label, mean_score
FROM days
UNPIVOT (
  mean_score FOR label IN (
    toxicity, severe_toxicity, obscene, threat, insult, identity_attack, sexual_explicit
  )
)
