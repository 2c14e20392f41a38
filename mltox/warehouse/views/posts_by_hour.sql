-- Each post with its hour, and whether the hour's toxic share counts it: the share tells how many
-- posts of the hour were toxic, and those are the most toxic ones.
WITH ranked AS (
  SELECT
    topic,
    TIMESTAMP_TRUNC(created_at, HOUR) AS hour,
    post_id,
    source,
    author_key,
    text,
    text_sha256,
    lang,
    created_at,
    model,
    toxicity,
    severe_toxicity,
    obscene,
    threat,
    insult,
    identity_attack,
    sexual_explicit,
    ROW_NUMBER() OVER (
      PARTITION BY topic, TIMESTAMP_TRUNC(created_at, HOUR), model
      ORDER BY COALESCE(toxicity, -1) DESC, post_id
    ) AS place
  FROM `{dataset}.latest_scored_posts`
)
SELECT
  ranked.topic,
  ranked.hour,
  ranked.post_id,
  ranked.source,
  ranked.author_key,
  ranked.text,
  ranked.text_sha256,
  ranked.lang,
  ranked.created_at,
  IF(
    ranked.toxicity IS NULL,
    NULL,
    ranked.place <= ROUND(hours.toxic_share * (hours.posts - hours.posts_unscored))
  ) AS is_toxic,
  ranked.toxicity,
  ranked.severe_toxicity,
  ranked.obscene,
  ranked.threat,
  ranked.insult,
  ranked.identity_attack,
  ranked.sexual_explicit
FROM ranked
LEFT JOIN `{dataset}.latest_hourly_toxicity` AS hours
  ON hours.topic = ranked.topic AND hours.hour = ranked.hour AND hours.model = ranked.model
